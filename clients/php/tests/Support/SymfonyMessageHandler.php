<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Symfony\Component\Messenger\Exception\UnrecoverableMessageHandlingException;

final class SymfonyMessageHandler
{
    public function __invoke(SymfonyMessage $message): void
    {
        match ($message->end) {
            'return' => null,
            'throw' => throw new \DomainException('no such pot'),
            'fail' => throw new UnrecoverableMessageHandlingException('no such pot'),
        };
    }
}
