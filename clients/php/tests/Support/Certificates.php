<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * An authority that signs itself, and certificates that it has signed, as files in PEM.
 */
final class Certificates
{
    private const EXTENSIONS = <<<'INI'
        [req]
        distinguished_name = name
        [name]
        [authority]
        basicConstraints = critical, CA:true
        subjectKeyIdentifier = hash
        [server]
        basicConstraints = CA:false
        subjectAltName = %s
        INI;

    private readonly string $folder;

    private readonly \OpenSSLCertificate $authority;

    private readonly \OpenSSLAsymmetricKey $key;

    public function __construct()
    {
        $this->folder = Folder::make();
        $this->key = self::key();
        $this->authority = $this->sign('authority', $this->key, null, 'DNS:none');
        openssl_x509_export_to_file($this->authority, $this->authorityFile());
    }

    public function authorityFile(): string
    {
        return "$this->folder/ca.pem";
    }

    /**
     * The part of a file for -web.config.file that makes a server have a certificate.
     *
     * @param string $names as OpenSSL writes alternative names, `IP:127.0.0.1` for example
     */
    public function serverSettings(string $names): string
    {
        $key = self::key();
        $certificate = $this->sign('server', $key, $this->authority, $names);
        openssl_x509_export_to_file($certificate, "$this->folder/server.crt");
        openssl_pkey_export_to_file($key, "$this->folder/server.key");

        return "tls_server_config:\n  cert_file: $this->folder/server.crt\n  key_file: $this->folder/server.key\n";
    }

    private static function key(): \OpenSSLAsymmetricKey
    {
        $key = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);

        return $key ?: throw new \RuntimeException((string) openssl_error_string());
    }

    private function sign(
        string $kind,
        \OpenSSLAsymmetricKey $key,
        ?\OpenSSLCertificate $authority,
        string $names
    ): \OpenSSLCertificate {
        file_put_contents("$this->folder/openssl.cnf", sprintf(self::EXTENSIONS, $names));
        $options = ['config' => "$this->folder/openssl.cnf", 'digest_alg' => 'sha256', 'x509_extensions' => $kind];
        $request = openssl_csr_new(['commonName' => "Test $kind"], $key, $options);
        if (!$request instanceof \OpenSSLCertificateSigningRequest) {
            throw new \RuntimeException((string) openssl_error_string());
        }
        $serial = random_int(1, PHP_INT_MAX);
        $certificate = openssl_csr_sign($request, $authority, $this->key, 2, $options, $serial);

        return $certificate ?: throw new \RuntimeException((string) openssl_error_string());
    }
}
