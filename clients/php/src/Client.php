<?php

declare(strict_types=1);

namespace Pushprom;

use Psr\Log\LoggerInterface;
use Pushprom\Transport\DatagramTransport;
use Pushprom\Transport\Deadline;
use Pushprom\Transport\Exchanges;
use Pushprom\Transport\HttpTransport;
use Pushprom\Transport\Outage;
use Pushprom\Transport\Transport;

/**
 * Gathers what is recorded, and sends it to Pushprom at the end of the request, after the response.
 */
final class Client extends Recorder
{
    /** Fits into a packet of Ethernet behind headers of IPv6, UDP and a tunnel; as other clients choose. */
    private const UDP_BYTES = 1_432;

    private const UNIX_BYTES = 8_192;

    /** Who waits longer than a minute, or tries more often, has mistaken the unit. */
    private const MOST_MS = 60_000;
    private const MOST_RETRIES = 10;

    /** Some hundred megabytes of what waits. */
    private const MOST_COUNT = 1_000_000;

    /**
     * Errors after which there are no destructors any more.
     *
     * @internal
     */
    public const FATAL = \E_ERROR | \E_PARSE | \E_CORE_ERROR | \E_COMPILE_ERROR | \E_USER_ERROR | \E_RECOVERABLE_ERROR;

    /** What a flush needs after the application has used up all memory, and what it takes to find that out. */
    private const FLUSH_BYTES = 8 * 1024 * 1024;
    private const RESERVE_BYTES = 32 * 1024;

    /** What tells Pushprom how much was lost. Names that begin with `pushprom_` are for the server itself. */
    private const LOST_METRIC = 'pushclient_lost_total';
    private const LOST_HELP = 'Deltas that PHP could not send, by reason.';

    private readonly Endpoint $endpoint;

    private Losses $losses;

    private readonly Buffer $buffer;

    private ?Transport $transport = null;

    /** 0 if nothing here forks; PHP tells nobody of a fork, so it is asked each time otherwise. */
    private int $processId;

    /**
     * The clients of this process, to be sent at its end.
     *
     * @var \WeakMap<self, true>|null
     */
    private static ?\WeakMap $clients = null;

    /** Memory to let go of. */
    private static string $reserve = '';

    /** Whether all was sent the last time. */
    private bool $reachable = true;

    private bool $sending = false;

    private bool $ending = false;

    /** Whether nobody will flush any more: what objects record that are let go of after this one is sent at once. */
    private bool $ended = false;

    /**
     * @param string $url `udp://127.0.0.1:9090`, `unix:///run/pushprom/push.sock`, `http://127.0.0.1:9091` or
     *     `https://user:password@pushprom.example:9091`
     * @param array<mixed> $constLabels labels of every series; they win over labels of the same name
     * @param LoggerInterface|(\Closure(string): mixed)|null $logger is told what was lost, ten lines a minute at
     *     most
     * @param string|null $token sent over HTTP as a bearer token
     * @param string|null $caFile over HTTPS: certificates of those who may sign Pushprom's, in PEM
     * @param int $connectTimeoutMs over HTTP: how long to wait for a connection
     * @param int $timeoutMs how long one flush takes at most, but for the look-up of a host by name
     * @param int $retries over HTTP: attempts after the first, within the same time
     * @param int|null $datagramBytes how long datagrams are at most; null for 1,432 over UDP and 8,192 over unix
     *     sockets
     * @param float $flushIntervalSeconds for what runs on: send when the oldest of what was gathered is so old
     *     and something more is recorded
     * @param int $flushCount send when so many series and observations were gathered
     * @param bool $finishRequest whether the response may be finished before sending at the end of a request
     * @throws \InvalidArgumentException if the configuration cannot be followed; nothing else ever throws
     */
    public function __construct(
        #[\SensitiveParameter] string $url,
        array $constLabels = [],
        private readonly LoggerInterface|\Closure|null $logger = null,
        #[\SensitiveParameter] private readonly ?string $token = null,
        private readonly ?string $caFile = null,
        private readonly int $connectTimeoutMs = 100,
        private readonly int $timeoutMs = 500,
        private readonly int $retries = 2,
        private readonly ?int $datagramBytes = null,
        float $flushIntervalSeconds = 10.0,
        int $flushCount = 1_000,
        private readonly bool $finishRequest = true
    ) {
        parent::__construct($constLabels);
        $this->endpoint = Endpoint::parse($url);
        self::demand('connectTimeoutMs', $connectTimeoutMs, 1, self::MOST_MS);
        self::demand('timeoutMs', $timeoutMs, 1, self::MOST_MS);
        self::demand('retries', $retries, 0, self::MOST_RETRIES);
        self::demand('datagramBytes', $datagramBytes ?? 1, 1, DatagramTransport::MOST_BYTES);
        self::demand('flushIntervalSeconds', $flushIntervalSeconds, 0, \INF);
        self::demand('flushCount', $flushCount, 1, self::MOST_COUNT);
        if ($token !== null && \preg_match('/^[\x21-\x7e]+$/D', $token) !== 1) {
            throw new \InvalidArgumentException(
                'pushprom: the token is empty or has a character that no header can have; is it the line end of a file?'
            );
        }
        $this->losses = new Losses($this->logger);
        $this->buffer = new Buffer($flushCount, (int) \min($flushIntervalSeconds * 1e9, 1e18));
        $this->processId = ProcessId::current();
        $this->flushAtEnd();
    }

    public function __destruct()
    {
        $this->ending = true;
        $this->ended = true;
        $this->flush();
    }

    public function record(Series $series, Method $method, int|float $value = 0): void
    {
        if ($this->processId !== 0) {
            $this->noticeFork();
        }
        if ($series->fault !== null) {
            $this->losses->add(Reason::Label, 1, "$series->name: $series->fault");

            return;
        }
        $fault = Signals::mayCome()
            ? Signals::heldDuring(fn (): ?string => $this->buffer->record($series, $method, $value))
            : $this->buffer->record($series, $method, $value);
        if ($fault !== null) {
            $this->losses->add(Reason::Value, 1, $fault);
        } elseif ($this->ended || $this->buffer->isDue()) {
            $this->flush();
        }
    }

    public function flush(): bool
    {
        $this->noticeFork();
        // A logger that records must not send within a sending.
        if ($this->sending) {
            return false;
        }

        return Signals::heldDuring(function (): bool {
            $this->sending = true;
            try {
                return $this->sendAll();
            } finally {
                $this->sending = false;
            }
        });
    }

    /**
     * Finishes the response, where PHP can do that, and sends after it: for frameworks that know when nothing will
     * be added to a response. It happens by itself at the end of the request.
     *
     * @return bool as flush()
     */
    public function finish(): bool
    {
        if ($this->finishRequest && ($this->buffer->size() > 0 || !$this->reachable)) {
            foreach (['fastcgi_finish_request', 'litespeed_finish_request'] as $finish) {
                if (\function_exists($finish)) {
                    $finish();
                    break;
                }
            }
        }

        return $this->flush();
    }

    public function lost(): array
    {
        $this->noticeFork();

        return $this->losses->all();
    }

    private static function demand(string $option, int|float $value, int $least, int|float $most): void
    {
        // So that NAN, which is neither less nor more than anything, is refused.
        if (!($value >= $least && $value <= $most)) {
            $shown = Series::text($value);
            throw new \InvalidArgumentException("pushprom: $option is $shown, and has to be from $least to $most");
        }
    }

    private function sendAll(): bool
    {
        $deadline = Deadline::in($this->timeoutMs);
        $sent = $this->send($deadline);
        // While nobody is there, there is nobody to tell.
        $lost = $this->reachable && !$deadline->isOver() ? $this->losses->takeNew() : [];
        if ($lost !== []) {
            foreach ($lost as $reason => $deltas) {
                $this->counter(self::LOST_METRIC, self::LOST_HELP, ['reason' => $reason])->add($deltas);
            }
            // By itself, because where this series is refused, the news of that would be refused again, for ever.
            $this->send($deadline);
            $this->losses->takeNew();
        }

        return $sent;
    }

    private function send(Deadline $deadline): bool
    {
        if ($this->reachable && $this->buffer->size() === 0) {
            return true;
        }
        $changes = [];
        try {
            $transport = $this->transport ??= $this->open();
            if ($transport->isOut() && !$this->ending && !$this->buffer->isFull()) {
                // What waits here goes on being composed, and needs no more room for being more.
                return $this->reachable = false;
            }
            $changes = $this->buffer->take();
            $deltas = Encoder::deltas($changes, $transport->limitBytes());
            $sent = $transport->send($deltas, $this->ending, $deadline);
            $this->reachable = $sent ?? $this->reachable;

            return $sent ?? true;
        } catch (\Throwable $error) {
            $lost = \count($changes) + \count($this->buffer->take());
            $this->losses->add(Reason::Fault, $lost, $error->getMessage());

            return $this->reachable = false;
        }
    }

    private function open(): Transport
    {
        $endpoint = $this->endpoint;
        if ($endpoint->scheme === 'udp' || $endpoint->scheme === 'unix') {
            $bytes = $this->datagramBytes ?? ($endpoint->scheme === 'udp' ? self::UDP_BYTES : self::UNIX_BYTES);

            return new DatagramTransport($endpoint, $bytes, new Outage((string) $endpoint), $this->losses);
        }

        return new HttpTransport(
            $endpoint,
            Exchanges::with($endpoint, $this->caFile),
            // What is not there for one who is impatient, or trusts nobody, may be there for others.
            new Outage(
                (string) $endpoint,
                "$endpoint->user:$endpoint->password:$this->token",
                (string) $this->caFile,
                "$this->connectTimeoutMs $this->timeoutMs"
            ),
            $this->token,
            $this->connectTimeoutMs,
            $this->retries,
            $this->losses
        );
    }

    /**
     * A process that was forked off lets go of what its parent has gathered and lost, which will send it.
     */
    private function noticeFork(): void
    {
        $processId = ProcessId::current();
        if ($processId !== $this->processId) {
            $this->processId = $processId;
            $this->buffer->take();
            $this->losses = new Losses($this->logger);
            $this->transport = null;
            $this->sending = false;
            $this->reachable = true;
        }
    }

    /**
     * One function for all clients of the process, however many a worker makes one after the other; and it holds
     * none of them, because a client is sent when it is let go of, too.
     */
    private function flushAtEnd(): void
    {
        if (self::$clients === null && \function_exists('register_shutdown_function')) {
            self::$clients = new \WeakMap();
            self::$reserve = \str_repeat(' ', self::RESERVE_BYTES);
            \register_shutdown_function(static function (): void {
                self::$reserve = '';
                if (self::hasRoomAfterFatalError()) {
                    // Whoever shows the error may exit after that.
                    self::eachClient(static fn (self $client) => $client->flush());
                }
                // Behind the functions that the application has registered since: what they print is part of the
                // response, and what they record is sent.
                \register_shutdown_function(static function (): void {
                    self::eachClient(static fn (self $client) => $client->end());
                });
            });
        }
        if (self::$clients !== null) {
            self::$clients[$this] = true;
        }
    }

    /**
     * @param callable(self): mixed $work
     */
    private static function eachClient(callable $work): void
    {
        foreach (self::$clients ?? [] as $client => $there) {
            $work($client);
        }
    }

    /**
     * @return bool whether there was such an error, and there is memory to send after it: who has none would take the
     *     application's own functions down
     */
    private static function hasRoomAfterFatalError(): bool
    {
        $error = \function_exists('error_get_last') ? \error_get_last() : null;
        if ($error === null || ($error['type'] & self::FATAL) === 0) {
            return false;
        }
        if (\preg_match('/^Allowed memory size of (\d+) /', $error['message'], $found) !== 1) {
            return true;
        }
        // Before anything else, even a class, is loaded; and never less than the application has.
        $needed = \memory_get_usage(true) + self::FLUSH_BYTES;

        return $needed <= (int) $found[1]
            || (\function_exists('ini_set') && \ini_set('memory_limit', (string) $needed) !== false);
    }

    private function end(): void
    {
        $this->ending = true;
        $this->finish();
    }

    /**
     * A copy would send what it holds a second time. There is one client, which is handed on.
     */
    private function __clone()
    {
    }

    /**
     * What it holds would be sent a second time by whoever unserializes it, and its token would be written down.
     */
    public function __serialize(): array
    {
        throw new \LogicException('pushprom: a client cannot be serialized; make it where it is needed');
    }

    /**
     * Whoever unserializes what strangers have written would send what they like to where they like.
     *
     * @param array<mixed> $data
     */
    public function __unserialize(array $data): void
    {
        throw new \LogicException('pushprom: a client cannot be unserialized');
    }

    /**
     * Without what is secret.
     *
     * @return array<string, mixed>
     */
    public function __debugInfo(): array
    {
        return ['url' => (string) $this->endpoint, 'held' => $this->buffer->all(), 'lost' => $this->losses->all()];
    }
}
