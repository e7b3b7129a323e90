//! The store that is a Redis or Valkey server.

use std::{sync::Arc, time::Duration};

use ::redis::{FromRedisValue, Script, ScriptInvocation, Value};
use jiff::Timestamp;

use self::{
    address::Address,
    lease_value::{marked, milliseconds, parsed, value},
    watch::Channel,
};
use super::{
    Hints, LARGEST_DOCUMENT, Lease, LeaseCondition, LiveLease, Loaded, PutLease, Saved, Store,
    StoreError, StoreFuture, UNREADABLE, Version,
    server::{
        connections::{Answer, Connections, Server as _},
        watch::watch,
    },
    too_large,
};

pub(crate) mod address;
mod connection;
mod failure;
mod lease_value;
mod watch;

/// Keeps the state in a Redis or Valkey server, which any number of machines can share.
///
/// Needs the feature `redis`. Tested with Redis 7; it uses nothing that Valkey does not have, nor
/// Redis from 5.0 on.
///
/// # URLs
///
/// | URL | leads to |
/// |---|---|
/// | `redis://host` | a server by TCP; the port is 6379 unless given |
/// | `redis://user:password@host:6380/2` | the same with a log-in, a port and a database |
/// | `rediss://host` | by TLS; the server's certificate must be one that the system trusts |
/// | `redis+unix:///run/redis.sock?db=2&user=…&pass=…` | a server by a socket |
/// | `…?prefix=shop` | keys that begin with `shop:` instead of `maintenance:`, for each app its own |
///
/// `valkey` can stand for `redis` in all of them. User and password are never shown. Redis Cluster
/// and Sentinel are not followed, and a server that is part of a cluster, a Sentinel or a replica is
/// refused with an error that says so: give the address of the primary, or of a proxy or a name that
/// leads to it, also after a fail-over.
///
/// # Promises
///
/// - The document is one key, `maintenance:state`, as it is and without an expiry, so
///   `redis-cli SET maintenance:state on` works as `echo on` does for a file. What is set by hand is
///   seen within five seconds, changes by this crate at once: they are published to the channel
///   `maintenance:changes`.
/// - Of several writers that replace the same document one wins: a script compares and replaces.
/// - A request takes no longer than about four seconds, whatever the server does. Where its answers are
///   slow, they get more time: some times what they have taken so far, and never more than
///   [`wait_at_most`](Self::wait_at_most) says. A lost connection is made anew.
/// - A lease is a key with an expiry, by the server's clock.
///
/// # What the server may lose
///
/// A change is as durable as the server's settings make it; turn on its append-only file. What it
/// loses all the same (by `FLUSHALL`, an eviction, a restart without a saved copy, a fail-over to a
/// replica that was behind) the nodes put back that know a newer state, so a key that is removed by
/// hand comes back: set it to `off` instead. A lease can be lost by that, too, and then another can
/// get it while its holder has not noticed: leases are as safe as the server's memory. Give it the
/// policy `noeviction`.
///
/// # With actix-session
///
/// The Redis store of actix-session 0.11 uses an older line of the `redis` crate. Both lines can be
/// in one program; they share the server, not the connection.
///
/// # Examples
///
/// ```
/// use actix_maintenance_mode::store::{RedisStore, Store};
///
/// // Connects when it is first used.
/// let store = RedisStore::new("rediss://shop:geheim@redis.example.com/?prefix=shop")?;
/// assert_eq!(store.url(), "rediss://redis.example.com/?prefix=shop");
/// # Ok::<(), actix_maintenance_mode::store::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RedisStore(Arc<Inner>);

/// Above any lease: its content, and its holder with the length.
const LARGEST_LEASE: usize = 1024 * 1024 + 1024;

#[derive(Debug)]
struct Inner {
    connections: Connections<Address>,
    scripts: Scripts,
    state_key: String,
    channel: String,
    index_key: String,
    /// What keys of leases begin with.
    lease_keys: String,
}

#[derive(Debug)]
struct Scripts {
    clock: Script,
    load: Script,
    save: Script,
    put_lease: Script,
    renew_lease: Script,
    drop_lease: Script,
    leases: Script,
    life: Script,
}

impl RedisStore {
    /// Makes a store of the server that the URL names. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the URL does not name a server.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url).map_err(|reason| {
            StoreError::new(format!(
                "cannot keep the maintenance state in `{}`: {reason}",
                crate::store::url::without_password(url)
            ))
        })?;
        Ok(Self::at(address))
    }

    /// Waits for no answer of the server longer than this; the default is 30 seconds. Where answers are
    /// quick, much less is waited. Less than two seconds are two.
    #[must_use]
    pub fn wait_at_most(self, longest: Duration) -> Self {
        self.0.connections.wait_at_most(longest);
        self
    }

    pub(crate) fn at(address: Address) -> Self {
        if address.is_encrypted && rustls::crypto::CryptoProvider::get_default().is_none() {
            // The client library takes the process's choice and panics without one. An app that has
            // chosen is left alone; one that chooses at the same instant wins.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let prefix = &address.prefix;
        Self(Arc::new(Inner {
            scripts: Scripts {
                clock: Script::new("return redis.call('TIME')"),
                load: Script::new(include_str!("redis/load.lua")),
                save: Script::new(include_str!("redis/save.lua")),
                put_lease: Script::new(include_str!("redis/put_lease.lua")),
                renew_lease: Script::new(include_str!("redis/renew_lease.lua")),
                drop_lease: Script::new(include_str!("redis/drop_lease.lua")),
                leases: Script::new(include_str!("redis/leases.lua")),
                life: Script::new(include_str!("redis/life.lua")),
            },
            state_key: format!("{prefix}:state"),
            channel: format!("{prefix}:changes"),
            index_key: format!("{prefix}:leases"),
            lease_keys: format!("{prefix}:lease:"),
            connections: Connections::new(address),
        }))
    }
}

fn loaded(document: Vec<u8>) -> Loaded {
    Loaded {
        version: Version::new(document.as_slice()),
        document,
    }
}

impl Inner {
    /// Runs a script on the server, which can be run twice without harm.
    async fn ask<T: FromRedisValue + Send>(
        &self,
        what: &str,
        script: &ScriptInvocation<'_>,
    ) -> Result<Answer<T>, StoreError> {
        // Loads the script again if the server has forgotten it.
        let question = |mut connection| async move { script.invoke_async(&mut connection).await };
        self.connections.ask(what, question).await
    }

    async fn load(&self) -> Result<Option<Loaded>, StoreError> {
        let mut script = self.scripts.load.key(&self.state_key);
        script.arg(LARGEST_DOCUMENT);
        let answer = self.ask("read the maintenance state", &script);
        self.document(answer.await?.value)
    }

    /// The document as a script returns it: nothing, its bytes, or how many they are if they are too
    /// many to be read.
    fn document(&self, value: Value) -> Result<Option<Loaded>, StoreError> {
        match value {
            Value::Nil => Ok(None),
            Value::BulkString(document) => Ok(Some(loaded(document))),
            Value::Int(size) => Err(too_large(
                self.connections.server().shown(),
                size.unsigned_abs(),
            )),
            _ => Err(self.misunderstood("read the maintenance state")),
        }
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        let script = self.scripts.clock.prepare_invoke();
        let what = "ask what time it is";
        let answer = self.ask::<(i64, i64)>(what, &script).await?;
        let (seconds, micros) = answer.value;
        let micros = seconds
            .checked_mul(1_000_000)
            .and_then(|it| it.checked_add(micros));
        Ok(micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
    }

    async fn save(&self, document: &[u8], expected: Option<&Version>) -> Result<Saved, StoreError> {
        let mut script = self.scripts.save.key(&self.state_key);
        script
            .arg(i32::from(expected.is_some()))
            .arg(expected.map_or(&[][..], Version::as_bytes))
            .arg(document)
            .arg(&self.channel)
            .arg(LARGEST_DOCUMENT);
        let answer = self
            .ask::<(i64, Value)>("store the maintenance state", &script)
            .await?;
        let (is_stored, newer) = answer.value;
        if is_stored == 1 {
            return Ok(Saved::Stored(Version::new(document)));
        }
        let newer = self.document(newer)?;
        // Asked a second time, one finds one's own document.
        let is_own = newer
            .as_ref()
            .is_some_and(|newer| newer.document == document);
        Ok(match answer.asked_twice && is_own {
            true => Saved::Stored(Version::new(document)),
            false => Saved::Conflict(newer),
        })
    }

    /// The server makes a new name for itself at each start.
    async fn life(&self) -> Result<Option<String>, StoreError> {
        let script = self.scripts.life.prepare_invoke();
        let answer = self.ask("ask for its name", &script);
        Ok(answer.await?.value)
    }

    fn lease_key(&self, name: &str) -> String {
        format!("{}{name}", self.lease_keys)
    }

    async fn put_lease(
        &self,
        lease: &Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> Result<PutLease, StoreError> {
        let mut script = self.scripts.put_lease.key(self.lease_key(lease.name()));
        script
            .key(&self.index_key)
            .arg(lease.name())
            .arg(marked(lease.holder()))
            .arg(value(lease))
            .arg(milliseconds(time_to_live))
            .arg(i32::from(condition == LeaseCondition::IfAbsent))
            .arg(&self.lease_keys)
            .arg(LARGEST_LEASE);
        let what = "take a lease";
        let answer = self.ask::<Vec<Value>>(what, &script);
        match answer.await?.value.as_slice() {
            [] => Ok(PutLease::Held),
            [value, left] => Ok(PutLease::Taken(self.live(
                what,
                lease.name(),
                value,
                left,
            )?)),
            _ => Err(self.misunderstood(what)),
        }
    }

    async fn renew_lease(&self, lease: &Lease, time_to_live: Duration) -> Result<bool, StoreError> {
        let mut script = self.scripts.renew_lease.key(self.lease_key(lease.name()));
        script
            .key(&self.index_key)
            .arg(lease.name())
            .arg(marked(lease.holder()))
            .arg(value(lease))
            .arg(milliseconds(time_to_live))
            .arg(LARGEST_LEASE);
        let answer = self.ask("renew a lease", &script);
        Ok(answer.await?.value)
    }

    async fn drop_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut script = self.scripts.drop_lease.key(self.lease_key(lease.name()));
        script
            .key(&self.index_key)
            .arg(lease.name())
            .arg(marked(lease.holder()))
            .arg(LARGEST_LEASE);
        let answer = self.ask::<i64>("give a lease back", &script);
        answer.await?;
        Ok(())
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<LiveLease>, StoreError> {
        let (first, last) = match prefix {
            "" => (b"-".to_vec(), b"+".to_vec()),
            _ => (
                [b"[", prefix.as_bytes()].concat(),
                // Names are UTF-8, which has no such byte.
                [b"(", prefix.as_bytes(), b"\xff"].concat(),
            ),
        };
        let mut script = self.scripts.leases.key(&self.index_key);
        script.arg(&self.lease_keys).arg(first).arg(last);
        script.arg(LARGEST_LEASE);
        let what = "list leases";
        let answer = self.ask::<Vec<Value>>(what, &script);
        let found = answer.await?.value;
        let leases = found.chunks(3).map(|found| match found {
            [Value::BulkString(name), value, left] => {
                let name = str::from_utf8(name).map_err(|_| self.misunderstood(what))?;
                self.live(what, name, value, left)
            }
            _ => Err(self.misunderstood(what)),
        });
        leases.collect()
    }

    /// A lease as a script returned it.
    fn live(
        &self,
        what: &str,
        name: &str,
        value: &Value,
        left: &Value,
    ) -> Result<LiveLease, StoreError> {
        let parsed = match (value, left) {
            (Value::BulkString(value), Value::Int(left)) => parsed(name, value).zip(Some(*left)),
            // Too large to be one of ours, and so it was not read.
            (Value::Int(_), Value::Int(left)) => {
                Lease::new(name, UNREADABLE, "").ok().zip(Some(*left))
            }
            _ => None,
        };
        let (lease, left) = parsed.ok_or_else(|| self.misunderstood(what))?;
        Ok(LiveLease {
            lease,
            expires_in: Duration::from_millis(left.try_into().unwrap_or(0)),
        })
    }

    fn misunderstood(&self, what: &str) -> StoreError {
        StoreError::new(format!(
            "cannot {what} at {}: a key that begins with `{}` was not written by this crate; remove \
             it, or give another `?prefix=`",
            self.connections.server().shown(),
            self.lease_keys
        ))
    }
}

impl Store for RedisStore {
    fn url(&self) -> String {
        self.0.connections.server().shown().to_owned()
    }

    fn may_lose_state(&self) -> bool {
        true
    }

    fn life(&self) -> StoreFuture<'_, Option<String>> {
        Box::pin(self.0.life())
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(self.0.load())
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(self.0.save(document, expected))
    }

    fn watch(&self) -> Hints {
        watch(Channel {
            connections: self.0.connections.clone(),
            name: self.0.channel.clone(),
        })
    }

    fn answers_within(&self) -> Option<Duration> {
        Some(self.0.connections.answers_within())
    }

    fn clock(&self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(self.0.clock())
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(self.0.put_lease(lease, time_to_live, condition))
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(self.0.renew_lease(lease, time_to_live))
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(self.0.drop_lease(lease))
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        Box::pin(self.0.leases(prefix))
    }
}
