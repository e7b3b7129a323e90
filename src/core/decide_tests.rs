//! The table of rules, said again in the plainest way and compared for every combination.

use std::{cell::RefCell, net::IpAddr, sync::Arc};

use serde_json::json;

use super::*;
use crate::core::{
    mode::Mode,
    mode_view::ModeView,
    rules::{
        compiled::RedirectTarget,
        exempt::{AddressSet, PathRules, Patterns},
        of_mode::{ModeRules, OwnExemptions, ReadOnly},
        readings::Readings,
        routes::{Named, Routes},
        visitors::VisitorRules,
    },
    state::Document,
    status::store::StoreStatus,
};

/// One path for all rules, so that any of them can match or not, whatever the others do.
const PATH: &str = "/robots.txt";

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn snapshot(rules: Rules, closed: &[bool]) -> Snapshot {
    let switches = closed.iter().map(|closed| match closed {
        true => json!({"on": {}}),
        false => json!("off"),
    });
    switched(rules, switches)
}

fn switched(rules: Rules, switches: impl IntoIterator<Item = serde_json::Value>) -> Snapshot {
    let modes = switches
        .into_iter()
        .enumerate()
        .map(|(place, switch)| {
            let key = format!("mode-{place}");
            let document: Document = serde_json::from_value(json!({
                "format": 1, "generation": 1, "modes": {key.as_str(): {"switch": switch}}
            }))
            .unwrap();
            let mode = Mode::named(key);
            ModeView::new(&Arc::new(mode), &document, None, Timestamp::UNIX_EPOCH)
        })
        .collect();
    let store = StoreStatus::unread("memory:");
    Snapshot::new(
        1,
        Arc::new(rules),
        modes,
        None,
        &Document::default(),
        store,
        now(),
    )
}

/// A request that is whatever a test wants it to be, and that remembers what it was asked.
#[derive(Default)]
struct Request {
    is_forced_off: bool,
    is_forced_on: bool,
    predicate: Option<&'static str>,
    has_api_key: bool,
    is_already_in: bool,
    method: Option<&'static str>,
    /// The modes that are not this request's.
    is_not_of: Vec<usize>,
    readings: Readings,
    has_no_admin: bool,
    asked: RefCell<Vec<&'static str>>,
}

const FORCED_OFF: &str = "forced-off";
const FORCED_ON: &str = "forced-on";

impl Subject for Request {
    fn path(&self) -> &str {
        PATH
    }

    fn method(&self) -> &str {
        self.method.unwrap_or("POST")
    }

    fn readings(&self) -> &Readings {
        &self.readings
    }

    fn each_host(&self, visit: &mut dyn FnMut(&str)) {
        visit("Shop.example");
    }

    fn opens_route(&self, routes: &Routes) -> bool {
        self.is_forced_off && routes.names(FORCED_OFF, self.method()) != Named::Not
    }

    fn restricts_route(&self, routes: &Routes) -> bool {
        self.is_forced_on && routes.names(FORCED_ON, self.method()) != Named::Not
    }

    fn is_admin(&self) -> bool {
        !self.has_no_admin
    }

    fn address(&self) -> Option<IpAddr> {
        self.asked.borrow_mut().push("address");
        Some(IpAddr::from([192, 0, 2, 1]))
    }

    fn predicate(&self) -> Option<&'static str> {
        self.asked.borrow_mut().push("predicate");
        self.predicate
    }

    fn has_api_key(&self) -> bool {
        self.asked.borrow_mut().push("api-key");
        self.has_api_key
    }

    fn each_grant(
        &self,
        _: crate::core::state::GrantKind,
        _: &mut dyn FnMut(&crate::core::state::GrantHash),
    ) {
    }

    fn is_already_in(&self) -> bool {
        self.is_already_in
    }

    fn is_of_mode(&self, mode: usize) -> bool {
        self.asked.borrow_mut().push("mode");
        !self.is_not_of.contains(&mode)
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn prefix(holds: bool) -> PathRules {
    let prefixes = if holds { texts(&[PATH]) } else { Vec::new() };
    PathRules::new(&[], &prefixes, &[]).unwrap()
}

/// Hands out one bit after the other of a number.
struct Bits(u32);

impl Bits {
    fn next(&mut self) -> bool {
        let bit = self.0 & 1 == 1;
        self.0 >>= 1;
        bit
    }

    /// Every combination of so many bits.
    fn all(count: u32) -> impl Iterator<Item = Self> {
        (0..1 << count).map(Self)
    }
}

#[test]
fn the_first_rule_that_matches_decides_in_every_combination() {
    let mut combinations = 0;
    // What is dear to compile varies least often.
    for mut dear in Bits::all(5) {
        let forced_on_pattern = dear.next();
        let exact = dear.next();
        let path_prefix = dear.next();
        let pattern = dear.next();
        let address_pattern = dear.next();

        let given = |holds: bool, text: &str| if holds { texts(&[text]) } else { texts(&[]) };
        let mut rules = Rules {
            forced_off: Routes::new("", &texts(&[FORCED_OFF])),
            forced_on: Routes::new("", &texts(&[FORCED_ON])),
            forced_on_patterns: Patterns::at_start(&given(forced_on_pattern, "/rob")).unwrap(),
            paths: PathRules::new(
                &given(exact, PATH),
                &given(path_prefix, PATH),
                &given(pattern, r"/robots\."),
            )
            .unwrap(),
            address_patterns: Patterns::whole(&given(address_pattern, r"192\.0\.2\.\d")).unwrap(),
            ..Rules::default()
        };

        for mut cheap in Bits::all(12) {
            let forced_off = cheap.next();
            let forced_on = cheap.next();
            let closed = cheap.next();
            let admin_scope = cheap.next();
            let robots_txt = cheap.next();
            let redirect_target = cheap.next();
            let admin_site = cheap.next();
            let address = cheap.next();
            let tests = cheap.next();
            let predicate = cheap.next();
            let api_key = cheap.next();
            let asks_who = cheap.next();

            rules.admin_scope = prefix(admin_scope);
            rules.robots_txt = robots_txt;
            rules.redirect_targets = redirect_target
                .then(|| RedirectTarget {
                    host: None,
                    path: PATH.to_owned(),
                })
                .into_iter()
                .collect();
            rules.admin_site = prefix(admin_site);
            rules.addresses = AddressSet::parse(&given(address, "192.0.2.0/24")).unwrap();
            rules.tests = tests;
            rules.visitors.superusers = asks_who;
            let request = Request {
                is_forced_off: forced_off,
                is_forced_on: forced_on,
                predicate: predicate.then_some("lucky"),
                has_api_key: api_key,
                ..Request::default()
            };

            use Decision::{DependsOnVisitor, Pass, Refuse};
            let refuse = |rule| Refuse {
                rule,
                mode: usize::from(closed),
            };
            // DESIGN.md's table, from the first row to the last.
            let table = [
                (forced_off, Pass(Rule::ForcedOffRoute)),
                (forced_on, refuse(Rule::ForcedOnRoute)),
                (forced_on_pattern, refuse(Rule::ForcedOnPattern)),
                (!closed, Pass(Rule::Online)),
                (admin_scope, Pass(Rule::AdminScope)),
                (robots_txt, Pass(Rule::RobotsTxt)),
                (redirect_target, Pass(Rule::RedirectTarget)),
                (exact, Pass(Rule::ExemptPath)),
                (path_prefix, Pass(Rule::ExemptPrefix)),
                (pattern, Pass(Rule::ExemptPattern)),
                (admin_site, Pass(Rule::ExemptAdminSite)),
                (address, Pass(Rule::ExemptAddress)),
                (address_pattern, Pass(Rule::ExemptAddressPattern)),
                (tests, Pass(Rule::ExemptTests)),
                (predicate, Pass(Rule::Predicate("lucky"))),
                (api_key, Pass(Rule::ApiKey)),
                (asks_who, DependsOnVisitor { mode: 1 }),
                (true, refuse(Rule::NoExemption)),
            ];
            let expected = table.iter().find(|(holds, _)| *holds).unwrap().1;

            let snapshot = snapshot(std::mem::take(&mut rules), &[false, closed]);
            let decision = decide(&snapshot, &request, now());
            assert_eq!(decision, expected, "{:?}", snapshot.rules);
            rules = Arc::into_inner(snapshot.rules).unwrap();
            combinations += 1;
        }
    }
    assert_eq!(combinations, 1 << 17);
}

/// The rows about who is asking, said again: a visitor is logged out by the setting for the
/// highest thing that the visitor is, and then is nobody; the highest role that is exempt decides.
fn expected_of_visitor(rules: &VisitorRules, visitor: &Visitor) -> (Option<Rule>, bool) {
    let logout = [
        (visitor.superuser, rules.logout_superusers),
        (visitor.staff, rules.logout_staff),
        (visitor.authenticated, rules.logout_authenticated),
    ]
    .into_iter()
    .find_map(|(is, logout)| is.then_some(logout))
    .unwrap_or(false);
    let is = |role: bool| role && !logout;
    let pass = [
        (is(visitor.superuser), rules.superusers, Rule::Superuser),
        (is(visitor.staff), rules.staff, Rule::Staff),
        (
            is(visitor.authenticated),
            rules.authenticated,
            Rule::Authenticated,
        ),
        (!is(visitor.authenticated), rules.anonymous, Rule::Anonymous),
    ]
    .into_iter()
    .find_map(|(is, exempt, rule)| (is && exempt).then_some(rule));
    (pass, logout)
}

/// What is decided about a visitor by the first of one mode: the rule by which they pass, and
/// whether they are logged out.
fn decided_of_visitor(snapshot: &Snapshot, visitor: &Visitor, is_in: bool) -> (Option<Rule>, bool) {
    let decision = decide_visitor(snapshot, &Request::default(), visitor, |_| is_in, now());
    let pass = match decision.outcome {
        Outcome::Pass(rule) | Outcome::PassModes(rule) => Some(rule),
        Outcome::Refuse { mode } => {
            assert_eq!(mode, 0);
            None
        }
    };
    (pass, decision.logout)
}

#[test]
fn who_is_asking_decides_in_every_combination() {
    for mut bits in Bits::all(10) {
        let visitors = VisitorRules {
            anonymous: bits.next(),
            authenticated: bits.next(),
            staff: bits.next(),
            superusers: bits.next(),
            logout_authenticated: bits.next(),
            logout_staff: bits.next(),
            logout_superusers: bits.next(),
        };
        let visitor = Visitor {
            authenticated: bits.next(),
            staff: bits.next(),
            superuser: bits.next(),
            ..Visitor::default()
        };
        let expected = expected_of_visitor(&visitors, &visitor);
        let needed = visitors.need_visitor();
        let rules = || Rules {
            visitors: visitors.clone(),
            ..Rules::default()
        };
        let closed = snapshot(rules(), &[true]);
        assert_eq!(
            decided_of_visitor(&closed, &visitor, true),
            expected,
            "{visitors:?} {visitor:?}"
        );
        // While it is closing nobody is logged out, and whoever is in goes on.
        let closing = switched(rules(), [json!({"pending": {}})]);
        let nobody_out = VisitorRules {
            logout_authenticated: false,
            logout_staff: false,
            logout_superusers: false,
            ..visitors.clone()
        };
        for is_in in [false, true] {
            let mut expected = expected_of_visitor(&nobody_out, &visitor);
            if expected.0.is_none() && visitor.authenticated && is_in {
                expected.0 = Some(Rule::AlreadyIn);
            }
            assert_eq!(
                decided_of_visitor(&closing, &visitor, is_in),
                expected,
                "{visitors:?} {visitor:?} {is_in}"
            );
        }
        // Whoever needs not be known is refused and not logged out.
        assert!(needed || expected == (None, false));
        let decision = decide(&closed, &Request::default(), now());
        let asks = decision == Decision::DependsOnVisitor { mode: 0 };
        assert_eq!(asks, needed);
    }
}

#[test]
fn whoever_is_in_goes_on_only_while_nothing_is_closed_yet() {
    let closing = || json!({"pending": {}});
    let insider = || Request {
        is_already_in: true,
        ..Request::default()
    };
    let draining = switched(Rules::default(), [json!("off"), closing()]);
    assert_eq!(
        decide(&draining, &insider(), now()),
        Decision::PassModes(Rule::AlreadyIn)
    );
    assert_eq!(
        decide(&draining, &Request::default(), now()),
        Decision::DependsOnVisitor { mode: 1 }
    );
    // The mode that is closed answers, not the one that they may finish by.
    let half_closed = switched(Rules::default(), [closing(), json!({"on": {}})]);
    assert_eq!(
        decide(&half_closed, &insider(), now()),
        Decision::Refuse {
            rule: Rule::NoExemption,
            mode: 1
        }
    );
}

#[test]
fn the_first_closed_mode_in_order_answers() {
    for mut bits in Bits::all(3) {
        let closed = [bits.next(), bits.next(), bits.next()];
        let expected = match closed.iter().position(|closed| *closed) {
            None => Decision::Pass(Rule::Online),
            Some(mode) => Decision::Refuse {
                rule: Rule::NoExemption,
                mode,
            },
        };
        let snapshot = snapshot(Rules::default(), &closed);
        assert_eq!(decide(&snapshot, &Request::default(), now()), expected);
    }
}

#[test]
fn modes_that_are_online_cost_nothing_however_many_they_are() {
    let all_online = snapshot(Rules::default(), &[false; 100]);
    assert!(all_online.is_quiet());
    let mut closed = [false; 100];
    closed[77] = true;
    let one_closed = snapshot(Rules::default(), &closed);
    assert!(!one_closed.is_quiet());
    let request = Request {
        is_not_of: vec![77],
        ..Request::default()
    };
    let decision = decide(&one_closed, &request, now());
    assert_eq!(decision, Decision::Pass(Rule::Online));
    assert_eq!(request.asked.into_inner(), ["mode"]);
}

#[test]
fn nothing_dear_is_asked_before_or_after_the_rule_that_decides() {
    let asked = |rules: Rules, closed: bool, request: Request| {
        decide(&snapshot(rules, &[closed]), &request, now());
        let mut asked = request.asked.into_inner();
        // What all requests are asked, once for each closed mode.
        asked.retain(|asked| *asked != "mode");
        asked
    };
    let address = || AddressSet::parse(&texts(&["192.0.2.1"])).unwrap();
    let online = asked(
        Rules {
            addresses: address(),
            ..Rules::default()
        },
        false,
        Request::default(),
    );
    assert!(online.is_empty(), "{online:?}");
    let by_path = asked(
        Rules {
            addresses: address(),
            paths: prefix(true),
            ..Rules::default()
        },
        true,
        Request::default(),
    );
    assert!(by_path.is_empty(), "{by_path:?}");
    let by_address = asked(
        Rules {
            addresses: address(),
            ..Rules::default()
        },
        true,
        Request::default(),
    );
    assert_eq!(by_address, ["address"]);
    // No rule needs the address.
    let by_nothing = asked(Rules::default(), true, Request::default());
    assert_eq!(by_nothing, ["predicate", "api-key"]);
    let by_predicate = asked(
        Rules::default(),
        true,
        Request {
            predicate: Some("lucky"),
            ..Request::default()
        },
    );
    assert_eq!(by_predicate, ["predicate"]);
}

#[test]
fn the_redirects_target_is_let_through_on_its_own_host_only() {
    for (host, path, expected) in [
        (None, PATH, true),
        (Some("shop.example"), PATH, true),
        (Some("SHOP.example"), PATH, true),
        (Some("status.example"), PATH, false),
        (Some("shop.example:8080"), PATH, false),
        (None, "/robots.txt/", false),
        (None, "/", false),
    ] {
        let rules = Rules {
            redirect_targets: vec![RedirectTarget {
                host: host.map(str::to_owned),
                path: path.to_owned(),
            }],
            ..Rules::default()
        };
        let decision = decide(&snapshot(rules, &[true]), &Request::default(), now());
        let passes = decision == Decision::Pass(Rule::RedirectTarget);
        assert_eq!(passes, expected, "{host:?} {path}");
    }
}

#[test]
fn a_path_with_dots_and_an_admin_scope_that_is_not_there_open_nothing() {
    let rules = || Rules {
        admin_scope: prefix(true),
        ..Rules::default()
    };
    let decided = |request: &Request, rules| decide(&snapshot(rules, &[true]), request, now());
    let passes = |rule| Decision::Pass(rule);
    let dotted = || Request {
        readings: Readings::new("/x/../robots.txt", PATH),
        ..Request::default()
    };
    let no_admin = Request {
        has_no_admin: true,
        ..Request::default()
    };
    assert_eq!(
        decided(&Request::default(), rules()),
        passes(Rule::AdminScope)
    );
    let refused = Decision::Refuse {
        rule: Rule::NoExemption,
        mode: 0,
    };
    assert_eq!(decided(&no_admin, rules()), refused);
    for rules in [
        Rules {
            paths: prefix(true),
            ..Rules::default()
        },
        Rules {
            admin_site: prefix(true),
            ..Rules::default()
        },
        Rules {
            robots_txt: true,
            ..Rules::default()
        },
        Rules {
            redirect_targets: vec![RedirectTarget {
                host: None,
                path: PATH.to_owned(),
            }],
            ..Rules::default()
        },
    ] {
        assert_eq!(decided(&dotted(), rules), refused);
    }
}

#[test]
fn an_address_is_matched_as_a_whole_and_mapped_addresses_as_v4() {
    struct From(&'static str, Readings);
    impl Subject for From {
        fn path(&self) -> &str {
            "/"
        }
        fn readings(&self) -> &Readings {
            &self.1
        }
        fn each_host(&self, _: &mut dyn FnMut(&str)) {}
        fn opens_route(&self, _: &Routes) -> bool {
            false
        }
        fn restricts_route(&self, _: &Routes) -> bool {
            false
        }
        fn is_admin(&self) -> bool {
            false
        }
        fn address(&self) -> Option<IpAddr> {
            self.0.parse().ok()
        }
        fn predicate(&self) -> Option<&'static str> {
            None
        }
        fn has_api_key(&self) -> bool {
            false
        }
        fn each_grant(
            &self,
            _: crate::core::state::GrantKind,
            _: &mut dyn FnMut(&crate::core::state::GrantHash),
        ) {
        }

        fn is_already_in(&self) -> bool {
            false
        }
        fn method(&self) -> &str {
            "GET"
        }
        fn is_of_mode(&self, _: usize) -> bool {
            true
        }
    }
    let rules = || Rules {
        addresses: AddressSet::parse(&texts(&["::ffff:192.0.2.7"])).unwrap(),
        address_patterns: Patterns::whole(&texts(&[r"10\.0\.0\.1|10\.0\.1\.1", "2001:db8::1"]))
            .unwrap(),
        ..Rules::default()
    };
    for (address, expected) in [
        ("192.0.2.7", Some(Rule::ExemptAddress)),
        ("::ffff:192.0.2.7", Some(Rule::ExemptAddress)),
        ("192.0.2.70", None),
        ("10.0.0.1", Some(Rule::ExemptAddressPattern)),
        ("::ffff:10.0.1.1", Some(Rule::ExemptAddressPattern)),
        ("10.0.0.15", None),
        ("110.0.0.1", None),
        ("2001:db8:0::1", Some(Rule::ExemptAddressPattern)),
        ("2001:db8::12", None),
        ("unknown", None),
    ] {
        let decision = decide(
            &snapshot(rules(), &[true]),
            &From(address, Readings::default()),
            now(),
        );
        let passed = match decision {
            Decision::Pass(rule) => Some(rule),
            _ => None,
        };
        assert_eq!(passed, expected, "{address}");
    }
}

/// What one mode makes of a request in [`several_modes_decide_together`], in the plainest way.
#[derive(Debug, Clone, Copy)]
struct Told {
    pending: bool,
    applies: bool,
    exempts: bool,
    reads: bool,
    exempts_staff: bool,
}

impl Told {
    fn rules(self) -> ModeRules {
        ModeRules {
            exempt: OwnExemptions {
                paths: prefix(self.exempts),
                visitors: VisitorRules {
                    staff: self.exempts_staff,
                    ..VisitorRules::default()
                },
                ..OwnExemptions::default()
            },
            read_only: self.reads.then(ReadOnly::default),
            ..ModeRules::default()
        }
    }

    /// The rule by which it lets the request through; `None`: it refuses.
    fn passes(self, reads: bool, visitor: &Visitor, is_in: bool) -> Option<Rule> {
        [
            (self.exempts, Rule::ExemptPrefix),
            (self.reads && reads, Rule::ReadOnly),
            (self.exempts_staff && visitor.staff, Rule::Staff),
            (
                self.pending && is_in && visitor.authenticated,
                Rule::AlreadyIn,
            ),
        ]
        .into_iter()
        .find_map(|(holds, rule)| holds.then_some(rule))
    }
}

#[test]
fn several_modes_decide_together() {
    let mut seen = [false; 3];
    for mut bits in Bits::all(14) {
        let mut told = || Told {
            pending: bits.next(),
            applies: bits.next(),
            exempts: bits.next(),
            reads: bits.next(),
            exempts_staff: bits.next(),
        };
        let modes = [told(), told()];
        let reads = bits.next();
        let is_in = bits.next();
        let staff = bits.next();
        let visitor = Visitor {
            authenticated: bits.next() || staff,
            staff,
            ..Visitor::default()
        };
        let rules = Rules {
            modes: modes.iter().map(|mode| mode.rules()).collect(),
            ..Rules::default()
        };
        let snapshot = switched(
            rules,
            modes.iter().map(|mode| match mode.pending {
                true => json!({"pending": {}}),
                false => json!({"on": {}}),
            }),
        );
        let request = Request {
            method: Some(if reads { "HEAD" } else { "PATCH" }),
            is_not_of: (0..2).filter(|mode| !modes[*mode].applies).collect(),
            ..Request::default()
        };

        let verdicts: Vec<(usize, Option<Rule>)> = modes
            .iter()
            .enumerate()
            .filter(|(_, mode)| mode.applies)
            .map(|(place, mode)| (place, mode.passes(reads, &visitor, is_in)))
            .collect();
        let refuses = verdicts
            .iter()
            .find_map(|(place, pass)| pass.is_none().then_some(*place));
        let rules_of = || verdicts.iter().filter_map(|(_, pass)| *pass);
        let expected = match refuses {
            Some(mode) => Outcome::Refuse { mode },
            None if verdicts.is_empty() => Outcome::Pass(Rule::Online),
            None => Outcome::PassModes(
                rules_of()
                    .find(|rule| *rule == Rule::AlreadyIn)
                    // Else one that goes by who it is, since others are not shown the answer.
                    .or_else(|| rules_of().find(|rule| *rule == Rule::Staff))
                    .or_else(|| rules_of().next())
                    .unwrap(),
            ),
        };
        let found = match decide(&snapshot, &request, now()) {
            Decision::Pass(rule) => Outcome::Pass(rule),
            Decision::PassModes(rule) => Outcome::PassModes(rule),
            Decision::Refuse { mode, .. } => Outcome::Refuse { mode },
            Decision::DependsOnVisitor { .. } => {
                decide_visitor(&snapshot, &request, &visitor, |_| is_in, now()).outcome
            }
        };
        assert_eq!(found, expected, "{modes:?} {reads} {is_in} {visitor:?}");
        seen[match found {
            Outcome::Pass(_) => 0,
            Outcome::PassModes(_) => 1,
            Outcome::Refuse { .. } => 2,
        }] = true;
    }
    assert_eq!(seen, [true; 3]);
}

#[test]
fn readers_are_not_logged_out_by_a_mode_that_lets_them_read() {
    let rules = || Rules {
        visitors: VisitorRules {
            logout_authenticated: true,
            ..VisitorRules::default()
        },
        modes: vec![ModeRules {
            read_only: Some(ReadOnly::default()),
            ..ModeRules::default()
        }],
        ..Rules::default()
    };
    let user = Visitor::user("uma");
    let snapshot = snapshot(rules(), &[true]);
    let of = |method| Request {
        method: Some(method),
        ..Request::default()
    };
    assert_eq!(
        decide(&snapshot, &of("GET"), now()),
        Decision::PassModes(Rule::ReadOnly)
    );
    let writes = decide_visitor(&snapshot, &of("POST"), &user, |_| true, now());
    assert!(writes.logout);
    assert_eq!(writes.outcome, Outcome::Refuse { mode: 0 });
}
