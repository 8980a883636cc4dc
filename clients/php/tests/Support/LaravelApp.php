<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Illuminate\Bus\BusServiceProvider;
use Illuminate\Cache\CacheServiceProvider;
use Illuminate\Contracts\Console\Kernel as ConsoleKernelContract;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Http\Kernel as HttpKernelContract;
use Illuminate\Database\DatabaseServiceProvider;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Filesystem\FilesystemServiceProvider;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Bootstrap\BootProviders;
use Illuminate\Foundation\Bootstrap\LoadConfiguration;
use Illuminate\Foundation\Bootstrap\RegisterFacades;
use Illuminate\Foundation\Bootstrap\RegisterProviders;
use Illuminate\Foundation\Console\Kernel as ConsoleKernel;
use Illuminate\Foundation\Exceptions\Handler;
use Illuminate\Foundation\Http\Kernel as HttpKernel;
use Illuminate\Foundation\Providers\ConsoleSupportServiceProvider;
use Illuminate\Foundation\Providers\FoundationServiceProvider;
use Illuminate\Http\Request;
use Illuminate\Queue\QueueServiceProvider;
use Illuminate\Routing\Router;
use Illuminate\Translation\TranslationServiceProvider;
use Illuminate\View\ViewServiceProvider;
use Symfony\Component\Console\Input\ArrayInput;
use Symfony\Component\Console\Output\BufferedOutput;
use Symfony\Component\HttpFoundation\Response;

/**
 * A small application of the real Laravel, which finds the provider as it finds those of packages.
 */
final class LaravelApp
{
    public readonly Application $app;

    private readonly string $folder;

    /**
     * @param array<string, mixed> $pushprom its options
     */
    public function __construct(array $pushprom = [])
    {
        require_once '/usr/share/php/Illuminate/autoload.php';
        $this->folder = Folder::make();
        foreach (['bootstrap/cache', 'config', 'storage/logs', 'vendor/composer'] as $folder) {
            mkdir("$this->folder/$folder", 0700, true);
        }
        $this->installPackage();
        $this->configure(['pushprom' => $pushprom] + self::options($this->folder));
        $this->app = new Application($this->folder);
        $this->app->singleton(HttpKernelContract::class, HttpKernel::class);
        $this->app->singleton(ConsoleKernelContract::class, ConsoleKernel::class);
        $this->app->singleton(ExceptionHandler::class, Handler::class);
    }

    /**
     * All that Laravel does at the start, but for its handlers of PHP's errors, which would be those of PHPUnit.
     */
    public function boot(): self
    {
        $this->app->bootstrapWith(
            [LoadConfiguration::class, RegisterFacades::class, RegisterProviders::class, BootProviders::class]
        );
        $router = $this->app->make(Router::class);
        $router->get('/', static fn () => 'home');
        $router->get('/users/{id}', static fn (string $id) => "user $id");
        $router->put('/users/{id}', static fn () => response('', 204));
        $router->options('/pots/{id}', static fn () => 'get');
        $router->get('/broken', static fn () => throw new \DomainException('no such pot'));
        $router->get('/forbidden', static fn () => abort(403));

        return $this;
    }

    /**
     * As `public/index.php` does.
     *
     * @param array<string, string> $form
     */
    public function request(string $method, string $path, array $form = []): Response
    {
        $kernel = $this->app->make(HttpKernelContract::class);
        $request = Request::create($path, $method, $form);
        $response = $kernel->handle($request);
        $kernel->terminate($request, $response);

        return $response;
    }

    /**
     * As `artisan` does.
     *
     * @param array<string, mixed> $arguments
     */
    public function artisan(string $command, array $arguments = []): int
    {
        // Symfony's console would ask the terminal.
        putenv('COLUMNS=120');
        $kernel = $this->app->make(ConsoleKernelContract::class);
        $input = new ArrayInput(['command' => $command] + $arguments);
        $status = $kernel->handle($input, new BufferedOutput());
        $kernel->terminate($input, $status);

        return $status;
    }

    /**
     * Makes the table of the queue.
     */
    public function withQueue(): self
    {
        $this->app->make('db')->connection()->getSchemaBuilder()->create('jobs', static function (Blueprint $table) {
            $table->bigIncrements('id');
            $table->string('queue');
            $table->longText('payload');
            $table->unsignedTinyInteger('attempts');
            $table->unsignedInteger('reserved_at')->nullable();
            $table->unsignedInteger('available_at');
            $table->unsignedInteger('created_at');
        });

        return $this;
    }

    /**
     * What Composer leaves for the discovery of packages.
     */
    private function installPackage(): void
    {
        $package = json_decode((string) file_get_contents(dirname(__DIR__, 2) . '/composer.json'), true);
        file_put_contents("$this->folder/vendor/composer/installed.json", json_encode(['packages' => [$package]]));
    }

    /**
     * @param array<string, array<string, mixed>> $options by file
     */
    private function configure(array $options): void
    {
        foreach ($options as $file => $content) {
            file_put_contents("$this->folder/config/$file.php", '<?php return ' . var_export($content, true) . ';');
        }
    }

    /**
     * @param string $folder for compiled views
     * @return array<string, array<string, mixed>>
     */
    private static function options(string $folder): array
    {
        $file = ['driver' => 'single', 'path' => '/dev/null'];

        return [
            'app' => [
                'name' => 'test',
                'env' => 'testing',
                'debug' => false,
                'timezone' => 'UTC',
                'locale' => 'en',
                'providers' => [
                    ConsoleSupportServiceProvider::class,
                    BusServiceProvider::class,
                    CacheServiceProvider::class,
                    DatabaseServiceProvider::class,
                    FilesystemServiceProvider::class,
                    FoundationServiceProvider::class,
                    QueueServiceProvider::class,
                    TranslationServiceProvider::class,
                    ViewServiceProvider::class,
                ],
            ],
            'cache' => ['default' => 'array', 'stores' => ['array' => ['driver' => 'array']]],
            'database' => [
                'default' => 'sqlite',
                'connections' => ['sqlite' => ['driver' => 'sqlite', 'database' => ':memory:', 'prefix' => '']],
            ],
            'logging' => ['default' => 'none', 'channels' => ['none' => $file, 'metrics' => $file]],
            'queue' => [
                'default' => 'database',
                'connections' => [
                    'sync' => ['driver' => 'sync'],
                    'database' => [
                        'driver' => 'database',
                        'table' => 'jobs',
                        'queue' => 'default',
                        'retry_after' => 90,
                    ],
                ],
                'failed' => ['driver' => 'null'],
            ],
            'view' => ['paths' => [], 'compiled' => $folder],
        ];
    }
}
