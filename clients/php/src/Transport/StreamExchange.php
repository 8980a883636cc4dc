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
        $stream = $this->connect(\min($connectTimeoutMs, $timeoutMs) / 1000, $warning);
        if ($stream === null) {
            return Answer::none($warning ?? 'cannot connect');
        }
        try {
            \stream_set_blocking($stream, false);
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
    private function connect(float $timeoutSeconds, ?string &$warning)
    {
        $tls = $this->endpoint->scheme === 'https';
        $name = \trim($this->endpoint->host, '[]');
        $options = ['verify_peer' => true, 'verify_peer_name' => true, 'peer_name' => $name];
        if ($this->caFile !== null) {
            $options['cafile'] = $this->caFile;
        }
        $address = ($tls ? 'tls' : 'tcp') . "://{$this->endpoint->host}:{$this->endpoint->port}";
        $context = \stream_context_create(['ssl' => $options]);
        $stream = Quiet::call(
            static fn () => \stream_socket_client(
                $address,
                $code,
                $message,
                $timeoutSeconds,
                \STREAM_CLIENT_CONNECT,
                $context
            ),
            $warning
        );

        return $stream === false ? null : $stream;
    }

    /**
     * @param resource $stream
     * @return Answer|null why it could not be written
     */
    private function write($stream, string $bytes, Deadline $deadline): ?Answer
    {
        while ($bytes !== '') {
            $written = Quiet::call(static fn () => \fwrite($stream, $bytes), $warning);
            if ($written === false || ($written === 0 && \feof($stream))) {
                // A server that refuses a body may answer before it has read it.
                return null;
            }
            $bytes = \substr($bytes, $written);
            if ($bytes !== '' && !$deadline->waitToWrite($stream)) {
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
        while (!self::isWhole($bytes) && !\feof($stream)) {
            $part = Quiet::call(static fn () => \fread($stream, 8192));
            if ($part === false) {
                break;
            }
            $bytes .= $part;
            if (\strlen($bytes) > self::ANSWER_BYTES) {
                break;
            }
            if ($part === '' && (!$deadline->waitToRead($stream) || $deadline->leftMs() === 0)) {
                return Answer::late('no answer in time');
            }
        }
        if (\preg_match('~^HTTP/1\.[01] (\d{3})~', $bytes, $found) !== 1) {
            return Answer::none($bytes === '' ? 'the connection was closed' : 'the answer is not HTTP');
        }
        [$head, $body] = \explode("\r\n\r\n", $bytes, 2) + [1 => ''];
        $retryAfter = \preg_match('/^retry-after:\s*(\d{1,9})\s*$/im', $head, $after) === 1 ? (int) $after[1] : null;

        return Answer::of((int) $found[1], $body, $retryAfter);
    }

    /**
     * Whether there is as much of an answer as it says that it has.
     */
    private static function isWhole(string $bytes): bool
    {
        $end = \strpos($bytes, "\r\n\r\n");

        return $end !== false
            && \preg_match('/^content-length:\s*(\d{1,9})\s*$/im', \substr($bytes, 0, $end), $found) === 1
            && \strlen($bytes) - $end - 4 >= (int) $found[1];
    }
}
