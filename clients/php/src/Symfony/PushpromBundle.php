<?php

declare(strict_types=1);

namespace Pushprom\Symfony;

use Symfony\Component\HttpKernel\Bundle\Bundle;

/**
 * Makes a client of the configuration under `pushprom`, and counts requests, messages of Messenger, and
 * commands.
 */
final class PushpromBundle extends Bundle
{
}
