<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * An object that is text; without one, it fails to be.
 */
final class Text implements \Stringable
{
    public function __construct(private readonly ?string $text)
    {
    }

    public function __toString(): string
    {
        return $this->text ?? throw new \RuntimeException('no text');
    }
}
