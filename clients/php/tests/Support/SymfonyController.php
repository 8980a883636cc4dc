<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Pushprom\ClientInterface;
use Symfony\Bundle\FrameworkBundle\Console\Application;
use Symfony\Component\Console\Input\ArrayInput;
use Symfony\Component\Console\Output\NullOutput;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpFoundation\StreamedResponse;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;
use Symfony\Component\HttpKernel\HttpKernelInterface;
use Symfony\Component\HttpKernel\KernelInterface;

final class SymfonyController
{
    public function __construct(
        private readonly ClientInterface $client,
        private readonly KernelInterface $kernel
    ) {
    }

    public function home(): Response
    {
        return new Response('home');
    }

    public function user(string $id): Response
    {
        return new Response("user $id");
    }

    public function order(): Response
    {
        $this->client->counter('orders_total')->inc();

        return new Response('ordered');
    }

    /**
     * A request within the request.
     */
    public function around(): Response
    {
        return $this->kernel->handle(Request::create('/users/7'), HttpKernelInterface::SUB_REQUEST);
    }

    /**
     * A response whose body takes a while.
     */
    public function streamed(): Response
    {
        return new StreamedResponse(static function (): void {
            $began = hrtime(true);
            while (hrtime(true) - $began < 50_000_000) {
                // Work on the body.
            }
        });
    }

    /**
     * A command within the request.
     */
    public function command(): Response
    {
        $application = new Application($this->kernel);
        $application->setAutoExit(false);
        $application->run(new ArrayInput(['command' => 'about']), new NullOutput());

        return new Response('done');
    }

    public function forbidden(): Response
    {
        throw new AccessDeniedHttpException();
    }

    public function broken(): Response
    {
        throw new \DomainException('no such pot');
    }
}
