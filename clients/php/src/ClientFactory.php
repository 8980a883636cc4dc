<?php

declare(strict_types=1);

namespace Pushprom;

use Psr\Log\LoggerInterface;
use Pushprom\Console\CommandMetrics;
use Pushprom\Http\RequestMetrics;
use Pushprom\Queue\JobMetrics;

/**
 * Makes a client, and what counts with it, of what a framework has read from its configuration.
 *
 * Nothing is thrown, because a typing error in the environment must not stop an application. The logger is told:
 * of an option of the client, and then nothing is sent, or of one that says what is counted and how, which is as if
 * it were missing.
 */
final class ClientFactory
{
    /** A logger that is being made may count, and so need the client that is being made. */
    private static bool $telling = false;

    private ?Options $options = null;

    /**
     * @param array<mixed>|(\Closure(): iterable<mixed>) $source options, as in docs/frameworks.md; a function is
     *     called when they are needed first, and may throw
     * @param LoggerInterface|(\Closure(): ?LoggerInterface)|null $logger a function is called whenever there is
     *     something to tell, so that a logger may count with the client
     */
    public function __construct(
        private readonly array|\Closure $source,
        private readonly LoggerInterface|\Closure|null $logger = null
    ) {
    }

    /**
     * The client of these options; one that does nothing if they cannot be followed, if `enabled` is false, or if
     * there is no `url`.
     *
     * @param array<mixed>|(\Closure(): iterable<mixed>) $options as for the constructor
     * @param LoggerInterface|(\Closure(): ?LoggerInterface)|null $logger as for the constructor
     */
    public static function make(
        array|\Closure $options,
        LoggerInterface|\Closure|null $logger = null
    ): ClientInterface {
        return (new self($options, $logger))->client();
    }

    /**
     * As make().
     */
    public function client(): ClientInterface
    {
        try {
            $options = $this->options();
            $url = $options->text('url');
            if ($options->flag('enabled') === false || $url === null) {
                return new NullClient();
            }

            return new Client($url, ...\array_filter([
                'constLabels' => $options->labels('const_labels'),
                'logger' => $this->logger === null ? null : $this->warn(...),
                'token' => $options->text('token'),
                'caFile' => $options->text('ca_file'),
                'connectTimeoutMs' => $options->integer('connect_timeout_ms', 1),
                'timeoutMs' => $options->integer('timeout_ms', 1),
                'retries' => $options->integer('retries', 0),
                'datagramBytes' => $options->integer('datagram_bytes', 1),
                'flushIntervalSeconds' => $options->seconds('flush_interval_seconds'),
                'flushCount' => $options->integer('flush_count', 1),
            ], static fn (mixed $argument): bool => $argument !== null));
        } catch (\InvalidArgumentException $mistake) {
            $this->tell('nothing is sent', $mistake);

            return new NullClient();
        }
    }

    public function requestMetrics(ClientInterface $client): RequestMetrics
    {
        return new RequestMetrics(
            $this->clientIf('http_metrics', $client),
            $this->orMissing(fn (): ?array => $this->options()->buckets('http_buckets')) ?? [],
            $this->orMissing(fn (): ?bool => $this->options()->flag('http_in_flight')) ?? false
        );
    }

    public function jobMetrics(ClientInterface $client): JobMetrics
    {
        return new JobMetrics($this->clientIf('queue_metrics', $client));
    }

    public function commandMetrics(ClientInterface $client): CommandMetrics
    {
        return new CommandMetrics($this->clientIf('console_metrics', $client));
    }

    private function clientIf(string $option, ClientInterface $client): ClientInterface
    {
        $wanted = $this->orMissing(fn (): ?bool => $this->options()->flag($option)) ?? true;

        return $wanted ? $client : new NullClient();
    }

    /**
     * @template T
     * @param \Closure(): T $option
     * @return T|null
     */
    private function orMissing(\Closure $option): mixed
    {
        try {
            return $option();
        } catch (\InvalidArgumentException $mistake) {
            $this->tell('an option is left out', $mistake);

            return null;
        }
    }

    private function options(): Options
    {
        if ($this->options === null) {
            try {
                $options = $this->source instanceof \Closure ? ($this->source)() : $this->source;
                $this->options = new Options(
                    $options instanceof \Traversable ? \iterator_to_array($options) : (array) $options
                );
            } catch (\Throwable $error) {
                // Without any there is no address. It is told once.
                $this->options = new Options([]);
                $this->tell('nothing is sent', $error);
            }
        }

        return $this->options;
    }

    private function tell(string $consequence, \Throwable $error): void
    {
        $this->log(static fn (LoggerInterface $logger) => $logger->error(
            "pushprom: $consequence: " . \str_replace('pushprom: ', '', $error->getMessage())
        ));
    }

    private function warn(string $message): void
    {
        $this->log(static fn (LoggerInterface $logger) => $logger->warning($message));
    }

    /**
     * @param \Closure(LoggerInterface): mixed $say
     */
    private function log(\Closure $say): void
    {
        if (self::$telling) {
            return;
        }
        self::$telling = true;
        Attempt::at(function () use ($say): void {
            $logger = $this->logger instanceof \Closure ? ($this->logger)() : $this->logger;
            if ($logger instanceof LoggerInterface) {
                $say($logger);
            }
        });
        self::$telling = false;
    }
}
