//! For stores of tests that have moods about one thing only: the rest is handed on.

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

/// Hands everything about the document on to a field that is a store.
macro_rules! document_of {
    ($store:ident) => {
        fn load(
            &self,
        ) -> actix_maintenance_mode::store::StoreFuture<
            '_,
            Option<actix_maintenance_mode::store::Loaded>,
        > {
            self.$store.load()
        }

        fn save<'a>(
            &'a self,
            document: &'a [u8],
            expected: Option<&'a actix_maintenance_mode::store::Version>,
        ) -> actix_maintenance_mode::store::StoreFuture<'a, actix_maintenance_mode::store::Saved> {
            self.$store.save(document, expected)
        }

        fn watch(&self) -> actix_maintenance_mode::store::Hints {
            self.$store.watch()
        }
    };
}

pub(crate) use {document_of, leases_of};
