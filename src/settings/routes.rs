//! What the settings take for a route: the name of a resource, or a pattern that actix takes.

use crate::core::rules::routes::{METHODS, split};

pub(super) fn route_fault(entry: &str) -> Option<String> {
    if entry.trim().is_empty() {
        return Some("give the name of an Actix resource, or remove the item".to_owned());
    }
    let (methods, route) = split(entry);
    if methods.is_empty()
        && let Some((words, route)) = entry.trim().split_once(char::is_whitespace)
        && let capitals = words.to_ascii_uppercase()
        && capitals.split(',').all(|word| METHODS.contains(&word))
    {
        let route = route.trim_start();
        return Some(format!("methods are in capitals: \"{capitals} {route}\""));
    }
    route
        .starts_with('/')
        .then(|| resource_fault(route))
        .flatten()
}

/// What actix's router would not take for a pattern. It panics instead of saying so.
fn resource_fault(pattern: &str) -> Option<String> {
    /// More are not taken by the router.
    const MOST_PARAMETERS: usize = 16;

    let mut expression = String::from("(?s-m)^");
    let mut rest = pattern;
    let mut parameters = 0;
    while let Some(start) = rest.find('{') {
        expression.push_str(&regex::escape(&rest[..start]));
        let Some(end) = end_of_parameter(&rest[start..]) else {
            return Some("a brace is not closed; give the pattern as the app has it".to_owned());
        };
        let parameter = &rest[start + 1..start + end];
        rest = &rest[start + end + 1..];
        let (name, own) = parameter.split_once(':').unwrap_or((parameter, "[^/]+"));
        if rest == "*" && parameter.contains(':') {
            return Some(
                "a parameter with an expression of its own takes no `*`; give the pattern as the \
                 app has it"
                    .to_owned(),
            );
        }
        expression.push_str(&format!("(?P<{name}>{own})"));
        parameters += 1;
    }
    if parameters > MOST_PARAMETERS {
        return Some(format!("a route has at most {MOST_PARAMETERS} parameters"));
    }
    let error = regex::Regex::new(&expression).err()?;
    let reason = match error {
        regex::Error::Syntax(text) => text.lines().last().unwrap_or_default().to_owned(),
        other => other.to_string(),
    };
    Some(format!("Actix takes no such pattern: {reason}"))
}

/// Where the brace closes that the text begins with; an expression inside may have some of its own.
fn end_of_parameter(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
