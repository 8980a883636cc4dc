<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Pushprom\ClientInterface;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;
use Symfony\Component\HttpKernel\HttpKernelInterface;

final class SymfonyController
{
    public function __construct(
        private readonly ClientInterface $client,
        private readonly HttpKernelInterface $kernel
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

    public function forbidden(): Response
    {
        throw new AccessDeniedHttpException();
    }

    public function broken(): Response
    {
        throw new \DomainException('no such pot');
    }
}
