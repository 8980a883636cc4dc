<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Endpoint;

/**
 * By the extension curl, which keeps the connection for the next request of this process.
 *
 * @internal
 */
final class CurlExchange implements Exchange
{
    private ?\CurlHandle $curl = null;

    /**
     * @param string|null $caFile certificates of those who may sign the server's, in PEM; those of the system
     *     if it is null
     */
    public function __construct(private readonly Endpoint $endpoint, private readonly ?string $caFile)
    {
    }

    public function post(string $body, array $headers, int $connectTimeoutMs, int $timeoutMs): Answer
    {
        $curl = $this->curl ??= $this->start();
        if ($curl === null) {
            return Answer::none('curl cannot be started');
        }
        // Without it, curl asks whether it may send a long body, and waits.
        $lines = ['Expect:'];
        foreach ($headers as $name => $value) {
            $lines[] = "$name: $value";
        }
        $answer = '';
        $header = '';
        \curl_setopt_array($curl, [
            \CURLOPT_POSTFIELDS => $body,
            \CURLOPT_HTTPHEADER => $lines,
            \CURLOPT_CONNECTTIMEOUT_MS => $connectTimeoutMs,
            \CURLOPT_TIMEOUT_MS => $timeoutMs,
            \CURLOPT_HEADERFUNCTION => static function ($curl, string $line) use (&$header): int {
                // What came before a status line is an interim answer.
                $header = \str_starts_with($line, 'HTTP/') ? $line : $header . $line;

                return \strlen($line);
            },
            \CURLOPT_WRITEFUNCTION => static function ($curl, string $part) use (&$answer): int {
                $answer .= $part;

                // Any other number than that of the bytes ends the transfer.
                return \strlen($answer) > self::ANSWER_BYTES ? -1 : \strlen($part);
            },
        ]);
        \curl_exec($curl);
        $status = (int) \curl_getinfo($curl, \CURLINFO_RESPONSE_CODE);
        $error = \curl_errno($curl);
        // Behind the empty line, there may be a trailer.
        $isWhole = \preg_match(self::HEADER, $header, $found) === 1;
        if ($isWhole && ($error === 0 || $error === \CURLE_WRITE_ERROR)) {
            $asks = \preg_match('/^retry-after:\s*(\d{1,9})\s*$/im', $found[1], $after) === 1;

            return Answer::of($status, $answer, $asks ? (int) $after[1] : null);
        }
        if ($error === 0) {
            return Answer::none('the connection was closed within the header of the answer');
        }
        $connected = (float) \curl_getinfo($curl, \CURLINFO_PRETRANSFER_TIME) > 0;

        return $error === \CURLE_OPERATION_TIMEDOUT && $connected
            ? Answer::late(\curl_error($curl))
            : Answer::none(\curl_error($curl));
    }

    private function start(): ?\CurlHandle
    {
        $curl = \curl_init();
        if ($curl === false) {
            return null;
        }
        \curl_setopt_array($curl, [
            \CURLOPT_URL => (string) $this->endpoint,
            \CURLOPT_POST => true,
            // Signals for timeouts would end system calls of the application.
            \CURLOPT_NOSIGNAL => true,
            \CURLOPT_FOLLOWLOCATION => false,
            // Not by way of a proxy, whatever the environment says, as without this extension.
            \CURLOPT_PROXY => '',
        ]);
        if ($this->caFile !== null) {
            \curl_setopt($curl, \CURLOPT_CAINFO, $this->caFile);
            // A folder without any, or those of the system would be trusted too.
            \curl_setopt($curl, \CURLOPT_CAPATH, __DIR__);
        }

        return $curl;
    }
}
