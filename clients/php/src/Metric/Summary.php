<?php

declare(strict_types=1);

namespace Pushprom\Metric;

/**
 * The sum and the number of what was observed.
 */
final class Summary extends Observed
{
}
