//! The templates that come along.

/// The page that comes with the crate, under the name by which an own one replaces it.
pub(crate) const PAGE_TEMPLATE: (&str, &str) =
    ("503.html", include_str!("../../templates/503.html"));

pub(crate) const NOTICE_TEMPLATE: (&str, &str) = (
    "maintenance/notice.html",
    include_str!("../../templates/notice.html"),
);

/// The templates, under the names by which an app's own replace them.
pub(crate) const ADMIN_TEMPLATES: [(&str, &str); 11] = [
    (
        "maintenance/base.html",
        include_str!("../../templates/base.html"),
    ),
    (
        "maintenance/dashboard.html",
        include_str!("../../templates/dashboard.html"),
    ),
    (
        "maintenance/switch.html",
        include_str!("../../templates/switch.html"),
    ),
    (
        "maintenance/plan.html",
        include_str!("../../templates/plan.html"),
    ),
    (
        "maintenance/grant.html",
        include_str!("../../templates/grant.html"),
    ),
    (
        "maintenance/cancel.html",
        include_str!("../../templates/cancel.html"),
    ),
    (
        "maintenance/change.html",
        include_str!("../../templates/change.html"),
    ),
    (
        "maintenance/fault.html",
        include_str!("../../templates/fault.html"),
    ),
    (
        "maintenance/long.html",
        include_str!("../../templates/long.html"),
    ),
    (
        "maintenance/preview.html",
        include_str!("../../templates/preview.html"),
    ),
    (
        "maintenance/window.html",
        include_str!("../../templates/window.html"),
    ),
];
