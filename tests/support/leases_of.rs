//! For stores of tests that have moods about the document only.

/// Hands everything about leases on to a field that is a store.
macro_rules! leases_of {
    ($store:ident) => {
        fn put_lease<'a>(
            &'a self,
            lease: &'a actix_maintenance_mode::store::Lease,
            time_to_live: std::time::Duration,
            condition: actix_maintenance_mode::store::LeaseCondition,
        ) -> actix_maintenance_mode::store::StoreFuture<'a, actix_maintenance_mode::store::PutLease>
        {
            self.$store.put_lease(lease, time_to_live, condition)
        }

        fn renew_lease<'a>(
            &'a self,
            lease: &'a actix_maintenance_mode::store::Lease,
            time_to_live: std::time::Duration,
        ) -> actix_maintenance_mode::store::StoreFuture<'a, bool> {
            self.$store.renew_lease(lease, time_to_live)
        }

        fn drop_lease<'a>(
            &'a self,
            lease: &'a actix_maintenance_mode::store::Lease,
        ) -> actix_maintenance_mode::store::StoreFuture<'a, ()> {
            self.$store.drop_lease(lease)
        }

        fn leases<'a>(
            &'a self,
            prefix: &'a str,
        ) -> actix_maintenance_mode::store::StoreFuture<
            'a,
            Vec<actix_maintenance_mode::store::LiveLease>,
        > {
            self.$store.leases(prefix)
        }
    };
}

pub(crate) use leases_of;
