<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Pushprom\ClientInterface;
use Pushprom\Symfony\PushpromBundle;
use Symfony\Bundle\FrameworkBundle\Console\Application;
use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\Console\Input\ArrayInput;
use Symfony\Component\Console\Output\BufferedOutput;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Kernel;

/**
 * A small application of the real Symfony, configured by files as any other.
 */
final class SymfonyApp extends Kernel
{
    use MicroKernelTrait;

    private const FRAMEWORK = <<<'YAML'
        framework:
            secret: test
            test: true
            http_method_override: true
            router: { utf8: true }
            messenger:
                reset_on_message: true
                transports:
                    mail: { dsn: 'in-memory://', retry_strategy: { max_retries: 1, delay: 0 } }
                routing:
                    Pushprom\Tests\Support\SymfonyMessage: mail
        YAML;

    private const SERVICES = <<<'YAML'
        services:
            Pushprom\Tests\Support\SymfonyController: { public: true, autowire: true, tags: [controller] }
            Pushprom\Tests\Support\SymfonyMessageHandler: { tags: [messenger.message_handler] }
        YAML;

    private const ROUTES = <<<'YAML'
        home: { path: /, controller: Pushprom\Tests\Support\SymfonyController::home }
        user_show:
            path: /users/{id}
            methods: [GET, PUT]
            controller: Pushprom\Tests\Support\SymfonyController::user
        welcome:
            path: { en: /welcome, de: /willkommen }
            controller: Pushprom\Tests\Support\SymfonyController::home
        order: { path: /order, controller: Pushprom\Tests\Support\SymfonyController::order }
        around: { path: /around, controller: Pushprom\Tests\Support\SymfonyController::around }
        forbidden: { path: /forbidden, controller: Pushprom\Tests\Support\SymfonyController::forbidden }
        streamed: { path: /streamed, controller: Pushprom\Tests\Support\SymfonyController::streamed }
        command: { path: /command, controller: Pushprom\Tests\Support\SymfonyController::command }
        broken: { path: /broken, controller: Pushprom\Tests\Support\SymfonyController::broken }
        YAML;

    private readonly string $folder;

    /**
     * @param string $pushprom the configuration under `pushprom`, as YAML in one line, or all of the file
     * @param string $client the definition of a service in place of the client, as YAML in one line
     * @param class-string $logger
     */
    public function __construct(
        string $pushprom,
        string $client = '',
        string $environment = 'test',
        string $logger = ThrowingLogger::class
    ) {
        require_once '/usr/share/php/Symfony/Bundle/FrameworkBundle/autoload.php';
        $this->folder = Folder::make();
        mkdir("$this->folder/config/packages", 0700, true);
        $files = [
            'packages/framework.yaml' => self::FRAMEWORK,
            'packages/pushprom.yaml' => str_contains($pushprom, "\n") ? $pushprom : "pushprom: $pushprom",
            'services.yaml' => self::SERVICES
                . "\n    logger: { class: $logger, public: true, autowire: true }"
                . ($client === '' ? '' : "\n    Pushprom\\ClientInterface: $client"),
            'routes.yaml' => self::ROUTES,
        ];
        foreach ($files as $name => $content) {
            file_put_contents("$this->folder/config/$name", "$content\n");
        }
        parent::__construct($environment, false);
    }

    /**
     * An application whose client is a Messages.
     */
    public static function recording(string $pushprom = '~'): self
    {
        return new self($pushprom, '{ class: Pushprom\Tests\Support\Messages, public: true }');
    }

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle(), new PushpromBundle()];
    }

    public function getProjectDir(): string
    {
        return $this->folder;
    }

    /**
     * As `public/index.php` does.
     *
     * @param array<string, string> $form
     */
    public function request(string $method, string $path, array $form = []): Response
    {
        $request = Request::create($path, $method, $form);
        $response = $this->handle($request);
        $this->terminate($request, $response);

        return $response;
    }

    /**
     * As `bin/console` does.
     *
     * @param array<string, mixed> $arguments
     */
    public function console(string $command, array $arguments = []): int
    {
        $application = new Application($this);
        $application->setAutoExit(false);

        return $application->run(new ArrayInput(['command' => $command] + $arguments), new BufferedOutput());
    }

    public function client(): ClientInterface
    {
        $this->boot();

        return $this->getContainer()->get('test.service_container')->get(ClientInterface::class);
    }
}
