<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Support\ServiceProvider;
use Psr\Log\LoggerInterface;
use Pushprom\ClientFactory;
use Pushprom\ClientInterface;
use Pushprom\Console\CommandMetrics;
use Pushprom\Http\RequestMetrics;
use Pushprom\Queue\JobMetrics;

/**
 * Makes a client of `config/pushprom.php`, and counts requests, jobs of queues, and commands.
 */
final class PushpromServiceProvider extends ServiceProvider
{
    private const CONFIG = __DIR__ . '/config/pushprom.php';

    /** What counts with the client, by the option that turns it on. */
    private const METRICS = [
        'http_metrics' => RequestMetrics::class,
        'queue_metrics' => JobMetrics::class,
        'console_metrics' => CommandMetrics::class,
    ];

    public function register(): void
    {
        $this->mergeConfigFrom(self::CONFIG, 'pushprom');
        $this->app->singleton(
            ClientInterface::class,
            static fn (Container $app): ClientInterface => ClientFactory::make(self::options($app), self::logger($app))
        );
        foreach (self::METRICS as $option => $metrics) {
            $this->app->singleton($metrics, static function (Container $app) use ($option, $metrics): object {
                $options = self::options($app);
                $client = ClientFactory::onlyIf($options[$option] ?? true, $app->make(ClientInterface::class));

                return $metrics === RequestMetrics::class
                    ? self::requestMetrics($client, $options)
                    : new $metrics($client);
            });
        }
    }

    public function boot(): void
    {
        $this->publishes([self::CONFIG => $this->app->configPath('pushprom.php')], 'pushprom-config');
        $this->callAfterResolving(Kernel::class, static function (Kernel $kernel): void {
            if (\method_exists($kernel, 'prependMiddleware')) {
                $kernel->prependMiddleware(MetricsMiddleware::class);
            }
        });
        $this->listen($this->app->make(Dispatcher::class));
        $this->app->booted(static function (Container $app): void {
            // Octane handles each request with a copy of the application as it is now. What is not made by then
            // would be made again for each.
            foreach (self::METRICS as $metrics) {
                $app->make($metrics);
            }
            // A test that puts another client in place means all that is counted.
            $app->rebinding(ClientInterface::class, static function (Container $app): void {
                foreach (self::METRICS as $metrics) {
                    $app->forgetInstance($metrics);
                }
            });
        });
    }

    private function listen(Dispatcher $events): void
    {
        foreach ([JobListener::class, CommandListener::class] as $listener) {
            foreach ($listener::EVENTS as $event => $method) {
                // By name, so that it is made when there is such an event.
                $events->listen($event, [$listener, $method]);
            }
        }
    }

    /**
     * @return array<string, mixed>
     */
    private static function options(Container $app): array
    {
        return (array) $app->make('config')->get('pushprom', []);
    }

    private static function logger(Container $app): ?LoggerInterface
    {
        if (!$app->bound('log')) {
            return null;
        }
        $channel = self::options($app)['log_channel'] ?? null;

        return $channel === null ? $app->make('log') : $app->make('log')->channel($channel);
    }

    /**
     * @param array<string, mixed> $options
     */
    private static function requestMetrics(ClientInterface $client, array $options): RequestMetrics
    {
        return new RequestMetrics(
            $client,
            \array_values((array) ($options['http_buckets'] ?? [])),
            \filter_var($options['http_in_flight'] ?? false, \FILTER_VALIDATE_BOOL)
        );
    }
}
