//! Who asks, and what they may.

use std::{net::IpAddr, sync::Arc};

use actix_web::HttpRequest;

use super::Builder;
use crate::{
    core::visitor::Visitor,
    web::{
        permission::{Permission, Permit},
        visitor::identity::IdentityClosure,
    },
};

impl Builder {
    /// Finds out who is asking, instead of by the session. A closure that says `None` leaves it to
    /// the session.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Visitor};
    /// let builder = Maintenance::builder().identity(|request| {
    ///     match request.headers().get("x-user") {
    ///         Some(user) => Visitor::user(user.to_str().unwrap_or("?")),
    ///         None => Visitor::anonymous(),
    ///     }
    /// });
    /// ```
    pub fn identity<V: Into<Option<Visitor>>>(
        mut self,
        identify: impl Fn(&HttpRequest) -> V + Send + Sync + 'static,
    ) -> Self {
        self.identity = Some(IdentityClosure::Sync(Arc::new(move |request| {
            identify(request).into()
        })));
        self
    }

    /// Finds out who is asking by a future, for example by a look-up in a database.
    ///
    /// The closure takes from the request what it needs; the future must not keep the request. A
    /// future that says `None` leaves it to the session.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Visitor};
    /// # async fn user_of(token: Option<String>) -> Visitor { Visitor::anonymous() }
    /// let builder = Maintenance::builder().async_identity(|request| {
    ///     let token = request.headers().get("authorization");
    ///     let token = token.and_then(|token| token.to_str().ok()).map(str::to_owned);
    ///     user_of(token)
    /// });
    /// ```
    pub fn async_identity<F>(
        mut self,
        identify: impl Fn(&HttpRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: Into<Option<Visitor>>> + 'static,
    {
        self.identity = Some(IdentityClosure::Async(Arc::new(move |request| {
            let identified = identify(request);
            Box::pin(async move { identified.await.into() })
        })));
        self
    }

    /// Finds the client's address, instead of by the peer and `client.trusted_proxies`.
    ///
    /// Only what a proxy of the app's own has set may be believed: anybody else could claim an exempt address.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// // A content delivery network that sets this header itself, and is the only way in.
    /// let builder = Maintenance::builder().client_address(|request| {
    ///     request.headers().get("x-client-address")?.to_str().ok()?.parse().ok()
    /// });
    /// ```
    pub fn client_address(
        mut self,
        find: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.address_finder = Some(Arc::new(find));
        self
    }

    /// Lets requests through for which this holds. The name is what `explain` shows.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder()
    ///     .exempt_if("rehearsal", |request| request.headers().contains_key("x-rehearsal"));
    /// ```
    pub fn exempt_if(
        mut self,
        name: &'static str,
        predicate: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.predicates.push((name, Arc::new(predicate)));
        self
    }

    /// Says of requests that whoever sends them is already in, and may go on while the site is
    /// closing; besides authenticated visitors who were seen a short while ago.
    ///
    /// A drain does not wait for these between their requests: only sessions are followed. Where who
    /// is asking does not come from the session but from [`identity`](Self::identity) or
    /// [`async_identity`](Self::async_identity), every authenticated visitor counts as already in,
    /// because to follow them would be to ask at every request while the site is online; a drain
    /// then ends when no request is in flight.
    pub fn already_in_if(
        mut self,
        predicate: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.already_in = Some(Arc::new(predicate));
        self
    }

    /// Runs when a visitor is logged out as the settings `logout.*` say, after the session is
    /// purged; for identities that are not kept in the session.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # struct Tokens;
    /// # impl Tokens { fn revoke(&self, _: &str) {} }
    /// let tokens = Tokens;
    /// let builder = Maintenance::builder().on_logout(move |request| {
    ///     let token = request.headers().get("authorization").and_then(|it| it.to_str().ok());
    ///     token.into_iter().for_each(|token| tokens.revoke(token));
    /// });
    /// ```
    pub fn on_logout(mut self, hook: impl Fn(&HttpRequest) + Send + Sync + 'static) -> Self {
        self.logout_hook = Some(Arc::new(hook));
        self
    }

    /// Says who has a permission, instead of superusers alone. The closure is asked for each mode, by
    /// its key.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Permission};
    /// let builder = Maintenance::builder()
    ///     .permission(Permission::See, |visitor, _mode| visitor.staff)
    ///     .permission(Permission::Toggle, |visitor, mode| {
    ///         visitor.superuser || (visitor.staff && mode == "shop")
    ///     });
    /// ```
    pub fn permission(
        mut self,
        permission: Permission,
        permits: impl Fn(&Visitor, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.permissions
            .set(permission, Permit::Sync(Arc::new(permits)));
        self
    }

    /// Says who has a permission by a future, for example by a look-up in a database.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Permission};
    /// # async fn is_on_duty(name: Option<String>) -> bool { name.is_some() }
    /// let builder = Maintenance::builder()
    ///     .async_permission(Permission::Toggle, |visitor, _mode| is_on_duty(visitor.id));
    /// ```
    pub fn async_permission<F>(
        mut self,
        permission: Permission,
        permits: impl Fn(Visitor, String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = bool> + 'static,
    {
        self.permissions.set(permission, Permit::when(permits));
        self
    }
}
