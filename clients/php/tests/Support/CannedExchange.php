<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Pushprom\Transport\Answer;
use Pushprom\Transport\Exchange;

/**
 * Answers with a status, and remembers the keys of what was posted.
 */
final class CannedExchange implements Exchange
{
    /** @var list<string> */
    public array $keys = [];

    public function __construct(public int $status)
    {
    }

    public function post(string $body, array $headers, int $connectTimeoutMs, int $timeoutMs): Answer
    {
        $this->keys[] = $headers['Idempotency-Key'];

        return Answer::of($this->status, '', null);
    }
}
