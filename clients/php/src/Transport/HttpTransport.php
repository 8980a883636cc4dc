<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Endpoint;
use Pushprom\Losses;
use Pushprom\Reason;

/**
 * Sends deltas in batches over HTTP. A batch is sent again until it is answered, with a key by which it counts
 * once: a few times at once, and in a process that runs on with every later flush, for a while.
 *
 * @internal
 */
final class HttpTransport implements Transport
{
    /** Half of what Pushprom and nginx take by default. */
    private const BODY_BYTES = 512 * 1024;

    /** Pushprom takes 10,000 in a message. */
    private const BATCH_DELTAS = 5_000;

    /** What waits for a server that is not there: bytes in all, and how long. Pushprom knows keys for ten minutes. */
    private const WAITING_BYTES = 1024 * 1024;
    private const WAITING_SECONDS = 300;

    /** Before the second attempt, and four times as long before each further one. */
    private const PAUSE_MS = 10;

    /** Deltas that were refused of which a logger is told, a batch. */
    private const TOLD_REFUSALS = 3;

    /** @var list<Batch> the oldest first */
    private array $waiting = [];

    private readonly Outage $outage;

    /** @var array<string, string> */
    private readonly array $headers;

    /**
     * @param string|null $token sent as a bearer token
     * @param int $timeoutMs how long one send() takes at most, all attempts together
     * @param int $retries attempts after the first
     */
    public function __construct(
        private readonly Endpoint $endpoint,
        private readonly Exchange $exchange,
        ?string $token,
        private readonly int $connectTimeoutMs,
        private readonly int $timeoutMs,
        private readonly int $retries,
        private readonly Losses $losses
    ) {
        $this->outage = new Outage((string) $endpoint);
        $headers = ['Content-Type' => 'application/json', 'User-Agent' => 'pushprom-php'];
        if ($token !== null) {
            $headers['Authorization'] = "Bearer $token";
        } elseif ($endpoint->user !== null) {
            $headers['Authorization'] = 'Basic ' . \base64_encode("$endpoint->user:$endpoint->password");
        }
        $this->headers = $headers;
    }

    public function limitBytes(): int
    {
        return self::BODY_BYTES;
    }

    public function send(array $deltas, bool $last): bool
    {
        $batches = \array_merge($this->waiting, self::batches($deltas));
        $this->waiting = [];
        $deadline = Deadline::in($this->timeoutMs);
        $reason = $this->outage->isOn() ? Reason::Unreachable : null;
        $message = 'was not there a moment ago';
        foreach ($batches as $batch) {
            if ($reason === null) {
                $reason = $this->deliver($batch, $deadline, $message);
                if ($reason === null) {
                    continue;
                }
            }
            if ($last || $batch->ageSeconds() >= self::WAITING_SECONDS) {
                $this->losses->add($reason, $batch->size(), "$this->endpoint: $message");
            } else {
                $this->waiting[] = $batch;
            }
        }
        $this->bound($reason ?? Reason::Unreachable);

        return $this->waiting === [] && $reason === null;
    }

    /**
     * @param list<string> $deltas
     * @return list<Batch>
     */
    private static function batches(array $deltas): array
    {
        $batches = [];
        $held = [];
        $bytes = 0;
        foreach ($deltas as $delta) {
            $more = \strlen($delta) + 1;
            if ($held !== [] && ($bytes + $more > self::BODY_BYTES || \count($held) === self::BATCH_DELTAS)) {
                $batches[] = new Batch($held);
                $held = [];
                $bytes = 0;
            }
            $held[] = $delta;
            $bytes += $more;
        }
        if ($held !== []) {
            $batches[] = new Batch($held);
        }

        return $batches;
    }

    /**
     * Tries until there is an answer, or no time.
     *
     * @param string $message set to what went wrong
     * @return Reason|null why it has to be sent again; null if it was answered, well or not
     */
    private function deliver(Batch $batch, Deadline $deadline, string &$message): ?Reason
    {
        $headers = $this->headers + ['Idempotency-Key' => "\"$batch->key\""];
        $pauseMs = self::PAUSE_MS;
        for ($attempt = 0; true; $attempt++) {
            $left = \max(1, $deadline->leftMs());
            $answer = $this->exchange->post($batch->body, $headers, \min($this->connectTimeoutMs, $left), $left);
            $again = match (true) {
                $answer->timedOut => Reason::Timeout,
                $answer->status === 0 => Reason::Unreachable,
                \in_array($answer->status, [408, 429, 502, 503, 504], true) => Reason::Unavailable,
                default => null,
            };
            if ($again === null) {
                $this->outage->end();
                $this->settle($batch, $answer);

                return null;
            }
            $pauseMs = \max($pauseMs, 1000 * ($answer->retryAfterSeconds ?? 0));
            if ($attempt === $this->retries || $pauseMs >= $deadline->leftMs()) {
                $this->outage->begin();
                $message = $answer->status === 0 ? $answer->body : "$answer->status " . self::line($answer->body);

                return $again;
            }
            \usleep($pauseMs * 1000);
            $pauseMs *= 4;
        }
    }

    /**
     * Counts what was answered badly.
     */
    private function settle(Batch $batch, Answer $answer): void
    {
        if ($answer->status >= 200 && $answer->status < 300) {
            return;
        }
        $said = $answer->status === 400 ? \json_decode($answer->body, true) : null;
        $rejected = \is_array($said) && \is_array($said['rejected'] ?? null) ? $said['rejected'] : null;
        if ($rejected === null) {
            $remedy = match ($answer->status) {
                401, 403 => '; are token, user and password right, and may they push?',
                413 => '; something on the way takes no bodies of ' . \strlen($batch->body) . ' bytes',
                default => '',
            };
            $message = "$this->endpoint: $answer->status " . self::line($answer->body) . $remedy;
            $this->losses->add(Reason::Refused, $batch->size(), $message);

            return;
        }
        $told = [];
        foreach (\array_slice($rejected, 0, self::TOLD_REFUSALS) as $one) {
            $told[] = \is_array($one) && \is_string($one['error'] ?? null) ? self::line($one['error']) : '?';
        }
        $this->losses->add(Reason::Refused, \count($rejected), \implode('; ', $told));
    }

    /**
     * Lets the oldest batches go when too much waits.
     */
    private function bound(Reason $reason): void
    {
        $bytes = 0;
        foreach ($this->waiting as $batch) {
            $bytes += \strlen($batch->body);
        }
        while ($bytes > self::WAITING_BYTES && $this->waiting !== []) {
            $oldest = \array_shift($this->waiting);
            $bytes -= \strlen($oldest->body);
            $this->losses->add($reason, $oldest->size(), "$this->endpoint: too much waits for it");
        }
    }

    private static function line(string $text): string
    {
        return \trim((string) \preg_replace('/[\x00-\x1f\x7f]+/', ' ', \substr($text, 0, 200)));
    }
}
