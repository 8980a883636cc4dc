<?php

declare(strict_types=1);

namespace Pushprom\Laravel;

use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Support\ServiceProvider;
use Psr\Log\LoggerInterface;
use Pushprom\Attempt;
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

    /** What counts with the client, and the method of the factory that makes it. */
    private const METRICS = [
        RequestMetrics::class => 'requestMetrics',
        JobMetrics::class => 'jobMetrics',
        CommandMetrics::class => 'commandMetrics',
    ];

    public function register(): void
    {
        $this->mergeConfigFrom(self::CONFIG, 'pushprom');
        $this->app->singleton(ClientFactory::class, static fn (Container $app): ClientFactory => new ClientFactory(
            static fn (): array => self::options($app),
            static fn (): ?LoggerInterface => self::logger($app)
        ));
        $this->app->singleton(
            ClientInterface::class,
            static fn (Container $app): ClientInterface => $app->make(ClientFactory::class)->client()
        );
        foreach (self::METRICS as $metrics => $method) {
            $this->app->singleton($metrics, static fn (Container $app): object
                => $app->make(ClientFactory::class)->$method($app->make(ClientInterface::class)));
        }
        $this->app->singleton(CommandNames::class);
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
            foreach (self::METRICS as $metrics => $_) {
                $app->make($metrics);
            }
            // A test that puts another client in place means all that is counted.
            $app->rebinding(ClientInterface::class, static function (Container $app): void {
                foreach (self::METRICS as $metrics => $_) {
                    $app->forgetInstance($metrics);
                }
            });
        });
    }

    private function listen(Dispatcher $events): void
    {
        $app = $this->app;
        foreach ([JobListener::class, CommandNames::class, CommandListener::class] as $listener) {
            foreach ($listener::EVENTS as $event => $method) {
                // It is made when there is such an event.
                $events->listen($event, static function (object $event) use ($app, $listener, $method): void {
                    Attempt::at(static fn () => $app->make($listener)->$method($event));
                });
            }
        }
    }

    /**
     * @return array<mixed>
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
}
