//! The rules that the settings ask for.

use std::fmt;

use crate::{
    core::rules::{
        compiled::{RedirectTarget, Rules},
        exempt::{AddressSet, PathRules, Patterns},
        of_mode::{AppliesTo, ModeRules, OwnExemptions, ReadOnly, host_name},
        routes::Routes,
        visitors::VisitorRules,
    },
    settings::{
        Access, AppliesToSettings, ModeExemptSettings, ModeSettings, PathSettings, Settings,
        SettingsError,
    },
    web::mode::ConfiguredMode,
};

pub(super) fn fault(key: &str, value: &str, message: impl fmt::Display) -> SettingsError {
    SettingsError::of_value(key, value, message.to_string())
}

pub(super) fn mode_rules(
    mode: &ModeSettings,
    ignore_case: bool,
) -> Result<ModeRules, SettingsError> {
    let name = |key: &str| format!("mode.{}.{key}", mode.key);
    let AppliesToSettings {
        hosts,
        prefixes,
        patterns,
        methods,
    } = &mode.applies_to;
    let paths = PathRules::new(&[], prefixes, patterns)
        .map_err(|error| fault(&name("applies_to.patterns"), "", error))?;
    let any_path = prefixes.is_empty() && patterns.is_empty();
    let choice = |key: &str, paths: &PathSettings| {
        PathRules::new(&paths.paths, &paths.prefixes, &paths.patterns)
            .map_err(|error| fault(&name(key), "", error))
    };
    Ok(ModeRules {
        applies_to: AppliesTo {
            hosts: hosts
                .iter()
                .map(|host| host_name(host).to_ascii_lowercase().into())
                .collect(),
            paths: (!any_path).then_some(paths),
            methods: methods
                .iter()
                .map(|method| method.as_str().into())
                .collect(),
        },
        exempt: own_exemptions(&mode.exempt, &name("exempt"), ignore_case)?,
        read_only: match mode.access {
            Access::None => None,
            Access::ReadOnly => Some(ReadOnly {
                allow: choice("read_only.allow", &mode.read_only.allow)?,
                deny: choice("read_only.deny", &mode.read_only.deny)?,
            }),
        },
    })
}

pub(super) fn own_exemptions(
    exempt: &ModeExemptSettings,
    key: &str,
    ignore_case: bool,
) -> Result<OwnExemptions, SettingsError> {
    Ok(OwnExemptions {
        routes: Routes::new(format!("{key}.routes"), &exempt.routes),
        paths: PathRules::new(&exempt.paths, &exempt.prefixes, &exempt.patterns)
            .map_err(|error| fault(key, "", error))?
            .ignoring_case(ignore_case),
        addresses: AddressSet::parse(&exempt.addresses)
            .map_err(|message| fault(key, "", message))?,
        address_patterns: Patterns::whole(&exempt.address_patterns)
            .map_err(|error| fault(key, "", error))?,
        visitors: VisitorRules {
            anonymous: exempt.anonymous,
            authenticated: exempt.authenticated,
            staff: exempt.staff,
            superusers: exempt.superusers,
            ..VisitorRules::default()
        },
    })
}

pub(super) fn rules(
    settings: &Settings,
    modes: &[ConfiguredMode],
    tests: bool,
) -> Result<Rules, SettingsError> {
    let exempt = &settings.exempt;
    let patterns_of = |key: &'static str| move |error: regex::Error| fault(key, "", error);
    let prefix = |path: &str| {
        PathRules::new(&[], &[path.to_owned()], &[])
            .map_err(|error| fault("exempt.admin_site", path, error))
    };
    Ok(Rules {
        forced_off: Routes::new("exempt.routes", &exempt.routes),
        forced_on: Routes::new("forced_on.routes", &settings.forced_on.routes),
        forced_on_patterns: Patterns::at_start(&settings.forced_on.patterns)
            .map_err(patterns_of("forced_on.patterns"))?,
        admin_scope: prefix(&settings.admin_path)?,
        robots_txt: exempt.robots_txt,
        redirect_targets: modes
            .iter()
            .filter_map(|mode| mode.settings.redirect.as_deref())
            .chain(settings.response.redirect.as_deref())
            .filter_map(target)
            .collect(),
        paths: PathRules::new(&exempt.paths, &exempt.prefixes, &exempt.patterns)
            .map_err(patterns_of("exempt.patterns"))?
            .ignoring_case(exempt.ignore_case),
        admin_site: match &exempt.admin_site {
            Some(path) => prefix(path)?,
            None => PathRules::default(),
        },
        addresses: AddressSet::parse(&exempt.addresses)
            .map_err(|message| fault("exempt.addresses", "", message))?,
        address_patterns: Patterns::whole(&exempt.address_patterns)
            .map_err(patterns_of("exempt.address_patterns"))?,
        tests: exempt.tests && tests,
        visitors: VisitorRules {
            anonymous: exempt.anonymous,
            authenticated: exempt.authenticated,
            staff: exempt.staff,
            superusers: exempt.superusers,
            logout_authenticated: settings.logout.authenticated,
            logout_staff: settings
                .logout
                .staff
                .unwrap_or(settings.logout.authenticated),
            logout_superusers: settings
                .logout
                .superusers
                .unwrap_or(settings.logout.authenticated),
        },
        modes: modes
            .iter()
            .map(|mode| mode_rules(&mode.settings, exempt.ignore_case))
            .collect::<Result<_, _>>()?,
    })
}

/// The path of the redirect's target, and its host if it names one.
pub(super) fn target(redirect: &str) -> Option<RedirectTarget> {
    let uri: actix_web::http::Uri = redirect.parse().ok()?;
    Some(RedirectTarget {
        host: uri
            .authority()
            .map(|authority| authority.as_str().to_owned()),
        path: uri.path().to_owned(),
    })
}
