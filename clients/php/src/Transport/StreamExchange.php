<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Endpoint;

/**
 * By PHP's own streams, where there is no extension curl: a connection for each request. HTTP/1.0, because
 * its answers end where the connection does.
 *
 * @internal
 */
final class StreamExchange implements Exchange
{
    /**
     * @param string|null $caFile as with CurlExchange
     */
    public function __construct(private readonly Endpoint $endpoint, private readonly ?string $caFile)
    {
    }

    public function post(string $body, array $headers, int $connectTimeoutMs, int $timeoutMs): Answer
    {
        $deadline = Deadline::in($timeoutMs);
        $warning = null;
        $stream = $this->connect(Deadline::in(\min($connectTimeoutMs, $timeoutMs)), $warning);
        if ($stream === null) {
            return Answer::none($warning ?? 'no connection in time');
        }
        try {
            $host = "{$this->endpoint->host}:{$this->endpoint->port}";
            $request = "POST {$this->endpoint->path} HTTP/1.0\r\nHost: $host\r\nConnection: close\r\n"
                . 'Content-Length: ' . \strlen($body) . "\r\n";
            foreach ($headers as $name => $value) {
                $request .= "$name: $value\r\n";
            }

            return $this->write($stream, "$request\r\n$body", $deadline) ?? $this->read($stream, $deadline);
        } finally {
            Quiet::call(static fn () => \fclose($stream));
        }
    }

    /**
     * @return resource|null
     */
    private function connect(Deadline $deadline, ?string &$warning)
    {
        $options = [
            'verify_peer' => true,
            'verify_peer_name' => true,
            'peer_name' => \trim($this->endpoint->host, '[]'),
        ];
        if ($this->caFile !== null) {
            $options['cafile'] = $this->caFile;
        }
        $address = "tcp://{$this->endpoint->host}:{$this->endpoint->port}";
        $context = \stream_context_create(['ssl' => $options]);
        $stream = Quiet::call(
            static fn () => \stream_socket_client(
                $address,
                $code,
                $message,
                $deadline->leftSeconds(),
                \STREAM_CLIENT_CONNECT,
                $context
            ),
            $warning
        );
        if ($stream === false) {
            return null;
        }
        \stream_set_blocking($stream, false);

        return $this->endpoint->scheme === 'http' || self::encrypt($stream, $deadline, $warning) ? $stream : null;
    }

    /**
     * Step by step: the scheme tls:// would wait for a connection and then as long again for this.
     *
     * @param resource $stream
     */
    private static function encrypt($stream, Deadline $deadline, ?string &$warning): bool
    {
        $versions = \STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT | \STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT;
        do {
            $done = Quiet::call(static fn () => \stream_socket_enable_crypto($stream, true, $versions), $warning);
        } while ($done === 0 && !$deadline->isOver() && $deadline->waitToRead($stream));

        if ($done === false) {
            $warning ??= 'the connection was closed within the handshake';
        }

        return $done === true;
    }

    /**
     * @param resource $stream
     * @return Answer|null why it could not be written
     */
    private function write($stream, string $bytes, Deadline $deadline): ?Answer
    {
        while ($bytes !== '') {
            $warning = null;
            $written = Quiet::call(static fn () => \fwrite($stream, $bytes), $warning);
            // Over TLS it is 0 for what is broken, as for what is full, and only a warning tells.
            if ($written === false || $warning !== null) {
                // A server that refuses a body may answer before it has read it.
                return null;
            }
            $bytes = \substr($bytes, $written);
            if ($bytes !== '' && (!$deadline->waitToWrite($stream) || $deadline->isOver())) {
                return Answer::late('not all could be sent in time');
            }
        }

        return null;
    }

    /**
     * @param resource $stream
     */
    private function read($stream, Deadline $deadline): Answer
    {
        $bytes = '';
        while (!self::isWhole($bytes) && \strlen($bytes) <= self::ANSWER_BYTES && !\feof($stream)) {
            $part = Quiet::call(static fn () => \fread($stream, 8192));
            if ($part === false) {
                break;
            }
            $bytes .= $part;
            if ($part === '' && (!$deadline->waitToRead($stream) || $deadline->isOver())) {
                return Answer::late('no answer in time');
            }
        }

        return self::answer($bytes);
    }

    private static function answer(string $bytes): Answer
    {
        if (\preg_match('~^HTTP/1\.[01] \d{3}~', $bytes) !== 1) {
            return Answer::none($bytes === '' ? 'the connection was closed' : 'the answer is not HTTP');
        }
        $parts = self::parts($bytes);
        if ($parts === null) {
            return Answer::none('the connection was closed within the header of the answer');
        }
        [$head, $body] = $parts;
        if (\strlen($body) < (self::length($head) ?? 0) && \strlen($bytes) <= self::ANSWER_BYTES) {
            return Answer::none('the connection was closed within the answer');
        }
        $retryAfter = \preg_match('/^retry-after:\s*(\d{1,9})\s*$/im', $head, $after) === 1 ? (int) $after[1] : null;

        return Answer::of(self::status($head), $body, $retryAfter);
    }

    /**
     * Whether there is as much of an answer as it says that it has.
     */
    private static function isWhole(string $bytes): bool
    {
        $parts = self::parts($bytes);
        $length = $parts === null ? null : self::length($parts[0]);

        return $parts !== null && $length !== null && \strlen($parts[1]) >= $length;
    }

    /**
     * Header and body of the answer, without the interim ones (100 to 199) that may come before it.
     *
     * @return array{string, string}|null none as long as the header has no end
     */
    private static function parts(string $bytes): ?array
    {
        do {
            if (\preg_match(self::HEADER, $bytes, $found) !== 1) {
                return null;
            }
            [$all, $head] = $found;
            $bytes = \substr($bytes, \strlen($all));
        } while (\intdiv(self::status($head), 100) === 1);

        return [$head, $bytes];
    }

    private static function status(string $head): int
    {
        return (int) \substr($head, \strlen('HTTP/1.1 '), 3);
    }

    /**
     * @return int|null of the body; null if its end is that of the connection
     */
    private static function length(string $head): ?int
    {
        if (\in_array(self::status($head), [204, 304], true)) {
            return 0;
        }

        return \preg_match('/^content-length:\s*(\d{1,9})\s*$/im', $head, $found) === 1 ? (int) $found[1] : null;
    }
}
