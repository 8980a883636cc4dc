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

    /** The header of an answer, and the empty line behind it; lines may end with a mere line feed. */
    public const HEADER = '/^((?:[^\r\n][^\n]*+\n)*+)\r?\n/';

    /**
     * @param array<string, string> $headers
     */
    public function post(string $body, array $headers, int $connectTimeoutMs, int $timeoutMs): Answer;
}
