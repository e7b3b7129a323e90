//! What the handle has of grants.

use crate::{
    core::status::grants::GrantStatus,
    engine::grants::{AddGrant, RevokeGrant},
    web::maintenance::Maintenance,
};

impl Maintenance {
    /// Lets one person, program or network look in although a mode is closed, under this name.
    ///
    /// The store has only a hash of what it is known by. Who it is for gets
    /// [`secret`](crate::Granted::secret): of a link, what follows `/enter/` in the admin scope.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// use std::time::Duration;
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// let granted = maintenance
    ///     .grant("auditor")
    ///     .prefix("/shop")
    ///     .lasting(Duration::from_secs(3600))
    ///     .await?;
    /// let path = format!("/maintenance-mode/enter/{}", granted.secret().unwrap());
    /// maintenance.revoke_grant("auditor").await?;
    /// assert!(maintenance.grants().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when it was not made.
    pub fn grant(&self, name: impl Into<String>) -> AddGrant {
        AddGrant::new(self.engine.clone(), name.into())
    }

    /// Takes the grant of this name away, also one that `on --allow` has made.
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when it was not revoked, or there is none.
    pub fn revoke_grant(&self, name: impl Into<String>) -> RevokeGrant {
        RevokeGrant::new(self.engine.clone(), name.into())
    }

    /// The grants that count, by their names, with how often the nodes have used them as far as this
    /// process has heard. [`ask_status`](Self::ask_status) asks the nodes now.
    pub fn grants(&self) -> Vec<GrantStatus> {
        self.engine.shared.grants()
    }
}
