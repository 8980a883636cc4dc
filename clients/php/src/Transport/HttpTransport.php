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

    /** @var array<string, string> */
    private readonly array $headers;

    /**
     * @param string|null $token sent as a bearer token
     * @param int $retries attempts after the first
     */
    public function __construct(
        private readonly Endpoint $endpoint,
        private readonly Exchange $exchange,
        private readonly Outage $outage,
        ?string $token,
        private readonly int $connectTimeoutMs,
        private readonly int $retries,
        private readonly Losses $losses
    ) {
        $headers = ['Content-Type' => 'application/json', 'User-Agent' => 'pushprom-php'];
        $authorization = $token === null ? $endpoint->basicAuthorization() : "Bearer $token";
        if ($authorization !== null) {
            $headers['Authorization'] = $authorization;
        }
        $this->headers = $headers;
    }

    public function limitBytes(): int
    {
        return self::BODY_BYTES;
    }

    public function isOut(): bool
    {
        return $this->outage->reason() !== null;
    }

    public function send(array $deltas, bool $last, Deadline $deadline): ?bool
    {
        $batches = \array_merge($this->waiting, self::batches($deltas));
        if ($batches === []) {
            return null;
        }
        $this->waiting = [];
        $reason = $last ? $this->outage->reasonAtEnd() : $this->outage->reason();
        $message = 'was not there a moment ago';
        $taken = true;
        foreach ($batches as $batch) {
            if ($batch->ageSeconds() >= self::WAITING_SECONDS) {
                // Its key may be forgotten there, so that it could count twice.
                $this->lose($batch, $reason ?? Reason::Timeout, 'cannot be sent after so long');
                continue;
            }
            if ($reason === null && $deadline->isOver()) {
                [$reason, $message] = [Reason::Timeout, 'no time to send the rest'];
            }
            if ($reason === null) {
                $answer = $this->deliver($batch, $deadline);
                $reason = $answer->again();
                if ($reason === null) {
                    $taken = $this->settle($batch, $answer) && $taken;
                    continue;
                }
                $message = $answer->line();
                if (!$last) {
                    $this->losses->tell("$this->endpoint: $message; what cannot be sent now waits");
                }
            }
            if ($last) {
                $this->lose($batch, $reason, $message);
            } else {
                $this->waiting[] = $batch;
            }
        }
        $this->bound($reason ?? Reason::Unreachable);

        return $taken && $this->waiting === [] && $reason === null;
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
     * @return Answer the last one; also one after which the batch has to be sent again
     */
    private function deliver(Batch $batch, Deadline $deadline): Answer
    {
        $headers = $this->headers + ['Idempotency-Key' => "\"$batch->key\""];
        $pauseMs = self::PAUSE_MS;
        for ($attempt = 0; true; $attempt++) {
            $left = \max(1, $deadline->leftMs());
            $answer = $this->exchange->post($batch->body, $headers, \min($this->connectTimeoutMs, $left), $left);
            $again = $answer->again();
            if ($again === null) {
                $this->outage->end();

                return $answer;
            }
            $askedSeconds = $answer->retryAfterSeconds ?? 0;
            $pauseMs = \max($pauseMs, 1000 * $askedSeconds);
            if ($attempt >= $this->retries || $pauseMs >= $deadline->leftMs()) {
                $this->outage->begin($again, $askedSeconds);

                return $answer;
            }
            \usleep($pauseMs * 1000);
            $pauseMs *= 4;
        }
    }

    /**
     * Counts what was answered badly.
     *
     * @return bool whether anything of it was taken
     */
    private function settle(Batch $batch, Answer $answer): bool
    {
        if ($answer->status >= 200 && $answer->status < 300) {
            return true;
        }
        $applied = 0;
        $message = $answer->line();
        // The list of what was refused may be longer than what is read of it; the number comes before it.
        if ($answer->status === 400 && \preg_match('/^\{"applied":(\d{1,9}),/', $answer->body, $found) === 1) {
            $applied = \min((int) $found[1], $batch->size());
            $message = self::firstRefusals($answer->body) ?? $message;
        }
        $message .= match ($answer->status) {
            401, 403 => '; are token, user and password right, and may they push?',
            413 => '; something on the way takes no bodies of ' . \strlen($batch->body) . ' bytes',
            default => '',
        };
        $this->losses->add(Reason::Refused, $batch->size() - $applied, "$this->endpoint: $message");

        return $applied > 0;
    }

    private static function firstRefusals(string $body): ?string
    {
        $said = \json_decode($body, true);
        if (!\is_array($said) || !\is_array($said['rejected'] ?? null)) {
            return null;
        }
        $told = [];
        foreach (\array_slice($said['rejected'], 0, self::TOLD_REFUSALS) as $one) {
            $told[] = \is_array($one) && \is_string($one['error'] ?? null) ? Answer::inOneLine($one['error']) : '?';
        }

        return \implode('; ', $told);
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
            $this->lose($oldest, $reason, 'too much waits for it');
        }
    }

    private function lose(Batch $batch, Reason $reason, string $message): void
    {
        $this->losses->add($reason, $batch->size(), "$this->endpoint: $message");
    }
}
