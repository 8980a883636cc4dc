<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\RequestHandlerInterface;

/**
 * Handles requests by a function.
 */
final class Handler implements RequestHandlerInterface
{
    /** The last one that it was given. */
    public ?ServerRequestInterface $request = null;

    /**
     * @param \Closure(ServerRequestInterface): ResponseInterface $handle
     */
    public function __construct(private readonly \Closure $handle)
    {
    }

    public function handle(ServerRequestInterface $request): ResponseInterface
    {
        $this->request = $request;

        return ($this->handle)($request);
    }
}
