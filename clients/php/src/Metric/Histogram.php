<?php

declare(strict_types=1);

namespace Pushprom\Metric;

/**
 * How often a value was in which range.
 */
final class Histogram extends Observed
{
}
