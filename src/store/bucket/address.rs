//! Which bucket holds the state, as a URL names it. No I/O.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientConfigKey, ObjectStore, Result, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
    path::Path,
};

use super::date::Dates;

/// How long one request may take, and connecting for it. With what is tried again it stays below the
/// driver's patience, so that the error says what was waited for.
const REQUEST: &str = "3 seconds";
const CONNECT: &str = "2 seconds";
const RETRY_FOR: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Google,
    Azure,
}

/// A bucket, and where in it the state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) service: Service,
    bucket: String,
    pub(super) prefix: Path,
}

impl Address {
    /// Reads the URL, or says what would be right.
    pub(crate) fn parse(url: &str) -> std::result::Result<Self, String> {
        const FORM: &str = "give for example \"s3://bucket/shop\", \"gs://bucket/shop\" or \
             \"az://container/shop\"";
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| format!("two slashes follow the colon; {FORM}"))?;
        let service = match scheme.to_ascii_lowercase().as_str() {
            "s3" => Service::S3,
            "gs" => Service::Google,
            "az" => Service::Azure,
            other => return Err(format!("`{other}` is no object store; {FORM}")),
        };
        if rest.contains(['?', '#', '@']) {
            return Err(format!(
                "there is more than a bucket and a path in it; credentials and options come from \
                 the environment; {FORM}"
            ));
        }
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || bucket.contains(char::is_whitespace) {
            return Err(format!("no bucket is named; {FORM}"));
        }
        let prefix = Path::parse(path).map_err(|error| format!("{error}; {FORM}"))?;
        Ok(Self {
            service,
            bucket: bucket.to_owned(),
            prefix,
        })
    }

    pub(super) fn shown(&self) -> String {
        let scheme = match self.service {
            Service::S3 => "s3",
            Service::Google => "gs",
            Service::Azure => "az",
        };
        match self.prefix.as_ref() {
            "" => format!("{scheme}://{}", self.bucket),
            prefix => format!("{scheme}://{}/{prefix}", self.bucket),
        }
    }

    /// Makes the client, with what the environment says. Nothing is connected yet.
    /// The dates of its answers are noted.
    pub(super) fn open(&self, dates: &Dates) -> Result<Arc<dyn ObjectStore>> {
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_millis(500),
                base: 2.0,
            },
            max_retries: 2,
            retry_timeout: RETRY_FOR,
        };
        let times = [
            (ClientConfigKey::Timeout, REQUEST),
            (ClientConfigKey::ConnectTimeout, CONNECT),
        ];
        Ok(match self.service {
            Service::S3 => {
                let mut builder = AmazonS3Builder::from_env();
                for (key, value) in times {
                    builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
                }
                let builder = builder
                    .with_bucket_name(&self.bucket)
                    .with_retry(retry)
                    .with_http_connector(dates.clone());
                Arc::new(builder.build()?)
            }
            Service::Google => {
                let mut builder = GoogleCloudStorageBuilder::from_env();
                for (key, value) in times {
                    builder = builder.with_config(GoogleConfigKey::Client(key), value);
                }
                let builder = builder
                    .with_bucket_name(&self.bucket)
                    .with_retry(retry)
                    .with_http_connector(dates.clone());
                Arc::new(builder.build()?)
            }
            Service::Azure => {
                let mut builder = MicrosoftAzureBuilder::from_env();
                for (key, value) in times {
                    builder = builder.with_config(AzureConfigKey::Client(key), value);
                }
                let builder = builder
                    .with_container_name(&self.bucket)
                    .with_retry(retry)
                    .with_http_connector(dates.clone());
                Arc::new(builder.build()?)
            }
        })
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
