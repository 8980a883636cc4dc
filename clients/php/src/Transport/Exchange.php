<?php

declare(strict_types=1);

namespace Pushprom\Transport;

/**
 * One request and its answer over HTTP.
 *
 * @internal
 */
interface Exchange
{
    /** Bytes of an answer that are read; more of it is of no use. */
    public const ANSWER_BYTES = 65_536;

    /**
     * @param array<string, string> $headers
     */
    public function post(string $body, array $headers, int $connectTimeoutMs, int $timeoutMs): Answer;
}
