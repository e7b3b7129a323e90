//! TLS to a Postgres server, by rustls.

use std::{path::Path, sync::Arc};

use ::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};
use ::tokio_postgres::config::SslNegotiation;
use ::tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Encryption, Verify};

/// Reads the certificates that are named, and makes what connects by them. Blocks.
///
/// # Errors
///
/// What is wrong with a file, in a sentence.
pub(super) fn connector(
    encryption: &Encryption,
    negotiation: SslNegotiation,
) -> Result<MakeRustlsConnect, String> {
    // An app that has chosen its cryptography is left alone.
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let any_host = |authorities| {
        let provider = Arc::clone(&provider);
        Arc::new(AnyHost {
            authorities,
            provider,
        })
    };
    let verifier: Arc<dyn ServerCertVerifier> = match encryption.verify {
        Verify::Nothing => any_host(None),
        verify => {
            let roots = authorities(encryption.authorities.as_deref())?;
            let inner =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|error| format!("no certificate can be checked: {error}"))?;
            match verify {
                Verify::Authority => any_host(Some(inner)),
                _ => inner,
            }
        }
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &encryption.client {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => config
            .with_client_auth_cert(
                certificates(certificate)?,
                PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| format!("{}: {error}", key.display()))?,
            )
            .map_err(|error| format!("{}: {error}", certificate.display()))?,
    };
    if negotiation == SslNegotiation::Direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .map_err(|error| told(&error))?
        .collect();
    let found = found.map_err(|error| told(&error))?;
    match found.is_empty() {
        true => Err(told(&"it has no certificate")),
        false => Ok(found),
    }
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, String> {
    let found = match file {
        Some(file) => certificates(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        return Err(
            "there is no authority to trust: the system has none; name a file with \
                    `sslrootcert`"
                .to_owned(),
        );
    }
    Ok(roots)
}

/// Asks for less than that a trusted authority names the host: for an authority and no name, as
/// `sslmode=verify-ca` has it, or nobody at all, as `sslmode=require` is understood everywhere.
#[derive(Debug)]
struct AnyHost {
    /// `None`: any certificate will do.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        match authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            // The name is what is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
