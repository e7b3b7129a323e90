//! What is asked: a request that nobody sent.

use std::net::IpAddr;

use actix_web::{
    dev::Url,
    http::{Method, Uri},
};

use super::role::Role;
use crate::core::rules::readings::Readings;

/// The longest path that is explained, in bytes; servers take no longer ones.
pub(super) const LONGEST_PATH: usize = 8192;

/// A request that [`Maintenance::explain`](crate::Maintenance::explain) is asked about.
///
/// ```
/// use actix_maintenance_mode::{Inquiry, Role};
///
/// let inquiry = Inquiry::new("GET", "/shop/1?sort=price")?
///     .address("192.0.2.7".parse().unwrap())
///     .role(Role::Staff);
/// assert_eq!(inquiry.path(), "/shop/1");
/// assert!(Inquiry::new("GET", "shop").is_err());
/// # Ok::<(), actix_maintenance_mode::InquiryError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    pub(super) method: Method,
    /// As the rules see it: decoded, without the query.
    pub(super) path: String,
    pub(super) readings: Readings,
    pub(super) host: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) role: Role,
}

/// Why something is no request that could be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InquiryError {
    /// The method is none.
    #[error("this is no HTTP method; give one such as GET or POST")]
    Method,
    /// The path is none.
    #[error(
        "this is no path; give one that starts with `/`, such as /shop/1, or a whole address, such \
         as https://shop.example/shop/1"
    )]
    Path,
    /// The path is longer than servers take.
    #[error("this path is too long; give at most {LONGEST_PATH} bytes")]
    TooLong,
}

impl Inquiry {
    /// A request with this method for this path, of an anonymous visitor whose address is not
    /// known.
    ///
    /// The path may have a query, which no rule looks at. It may also be a whole address, which
    /// then says the host, too.
    ///
    /// # Errors
    ///
    /// When the method or the path could not be sent.
    pub fn new(method: &str, path: &str) -> Result<Self, InquiryError> {
        let method = method
            .to_ascii_uppercase()
            .parse()
            .map_err(|_| InquiryError::Method)?;
        if path.len() > LONGEST_PATH {
            return Err(InquiryError::TooLong);
        }
        let path = path.split('#').next().unwrap_or_default();
        let uri: Uri = path.parse().map_err(|_| InquiryError::Path)?;
        let host = match (uri.scheme(), uri.authority()) {
            (Some(_), Some(authority)) => Some(authority.as_str().to_owned()),
            (None, None) if path.starts_with('/') => None,
            _ => return Err(InquiryError::Path),
        };
        let routed = Url::new(uri.clone()).path().to_owned();
        Ok(Self {
            method,
            readings: Readings::new(uri.path(), &routed),
            path: routed,
            host,
            address: None,
            role: Role::Anonymous,
        })
    }

    /// The host that is asked for.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// The client's address.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Who is asking.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The path as the rules see it: decoded, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }
}
