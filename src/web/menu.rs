//! The entry of an app's own menu that leads to the dashboard.

use actix_web::HttpRequest;
use serde::Serialize;

use crate::{
    core::{phase::Phase, visitor::Visitor},
    web::{maintenance::Maintenance, permission::Permission},
};

impl Maintenance {
    /// Whether a visitor may do something with a mode, as the admin scope judges.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Permission, Visitor};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder()
    ///     .store("memory:")
    ///     .permission(Permission::See, |visitor, _mode| visitor.staff)
    ///     .build()
    ///     .await?;
    /// let staff = Visitor::user("sam").with_staff(true);
    /// assert!(maintenance.may(&staff, Permission::See, "site").await);
    /// assert!(!maintenance.may(&staff, Permission::Toggle, "site").await);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn may(&self, visitor: &Visitor, permission: Permission, mode: &str) -> bool {
        let permit = self.front.permissions.of(permission);
        permit.permits(visitor, mode).await
    }

    /// The keys of the modes with which a visitor may do something, in the order of the modes.
    pub(crate) async fn permitted_modes(
        &self,
        visitor: &Visitor,
        permission: Permission,
    ) -> Vec<String> {
        let mut permitted = Vec::new();
        for mode in &self.engine.shared.modes {
            if self.may(visitor, permission, &mode.key).await {
                permitted.push(mode.key.clone());
            }
        }
        permitted
    }

    /// What the app's own menu shows to whoever sends this request: the way to the dashboard, or
    /// nothing to those who may not see it.
    ///
    /// ```
    /// use actix_maintenance_mode::Maintenance;
    /// use actix_web::{HttpRequest, web};
    ///
    /// async fn menu(request: HttpRequest, maintenance: web::Data<Maintenance>) -> String {
    ///     match maintenance.menu_item(&request).await {
    ///         Some(item) => format!("<a href=\"{}\">{}</a>", item.url, item.label),
    ///         None => String::new(),
    ///     }
    /// }
    /// ```
    pub async fn menu_item(&self, request: &HttpRequest) -> Option<MenuItem> {
        let visitor = self.visitor(request).await;
        let visible = self.permitted_modes(&visitor, Permission::See).await;
        if visible.is_empty() {
            return None;
        }
        let snapshot = self.engine.shared.published.snapshot();
        let now = self.engine.shared.now_for(&snapshot);
        let phases = || {
            snapshot
                .modes
                .iter()
                .filter(|mode| visible.iter().any(|key| **key == *mode.key))
                .map(|mode| mode.phase(now))
        };
        let phase = phases()
            .find(|phase| phase.is_maintenance())
            .or_else(|| phases().find(|phase| *phase == Phase::Scheduled))
            .unwrap_or(Phase::Online);
        Some(MenuItem {
            label: "Maintenance".to_owned(),
            url: self.front.public(request, &self.front.admin_path),
            on: phase.is_maintenance(),
            phase,
        })
    }
}

/// An item for the app's own menu: from [`Maintenance::menu_item`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MenuItem {
    /// What it says, in English.
    pub label: String,
    /// Where it leads: the dashboard.
    pub url: String,
    /// Whether a mode that the visitor may see is pending or offline.
    pub on: bool,
    /// The phase of the first such mode; else whether one is announced.
    pub phase: Phase,
}
