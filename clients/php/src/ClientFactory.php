<?php

declare(strict_types=1);

namespace Pushprom;

use Psr\Log\LoggerInterface;

/**
 * Makes a client of what a framework has read from its configuration, where numbers may still be text.
 */
final class ClientFactory
{
    /** Parameters of Client by option; all but what is an option of a framework alone. */
    private const PARAMETERS = [
        'url' => 'url',
        'const_labels' => 'constLabels',
        'token' => 'token',
        'ca_file' => 'caFile',
        'connect_timeout_ms' => 'connectTimeoutMs',
        'timeout_ms' => 'timeoutMs',
        'retries' => 'retries',
        'datagram_bytes' => 'datagramBytes',
        'flush_interval_seconds' => 'flushIntervalSeconds',
        'flush_count' => 'flushCount',
    ];

    private const TEXTS = ['url', 'token', 'ca_file'];

    /**
     * A client; one that does nothing if `enabled` is false, if `url` is missing, or if the options cannot be
     * followed, of which the logger is told: a typing error in the environment must not stop an application.
     *
     * @param array<string, mixed> $options `enabled` and those of PARAMETERS; what is null or '' is as if it
     *     were missing, and others are ignored
     */
    public static function make(array $options, ?LoggerInterface $logger = null): ClientInterface
    {
        $given = \array_filter($options, static fn (mixed $value): bool => $value !== null && $value !== '');
        if (!isset($given['url']) || !\filter_var($given['enabled'] ?? true, \FILTER_VALIDATE_BOOL)) {
            return new NullClient();
        }
        $arguments = ['logger' => $logger];
        foreach (\array_intersect_key($given, self::PARAMETERS) as $option => $value) {
            $number = \is_string($value) && \is_numeric($value) && !\in_array($option, self::TEXTS, true);
            $arguments[self::PARAMETERS[$option]] = $number ? $value + 0 : $value;
        }
        try {
            return new Client(...$arguments);
        } catch (\InvalidArgumentException | \TypeError $error) {
            self::tell($logger, $error);

            return new NullClient();
        }
    }

    /**
     * That client where something is wanted, and one that does nothing where it is not.
     */
    public static function onlyIf(mixed $wanted, ClientInterface $client): ClientInterface
    {
        return \filter_var($wanted, \FILTER_VALIDATE_BOOL) ? $client : new NullClient();
    }

    private static function tell(?LoggerInterface $logger, \Throwable $error): void
    {
        try {
            $logger?->error('pushprom: nothing is sent: ' . $error->getMessage());
        } catch (\Throwable) {
            // A logger that fails is no reason for the application to fail.
        }
    }
}
