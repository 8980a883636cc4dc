<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * The types of metrics, by their names in a delta.
 */
enum Type: string
{
    case Counter = 'counter';
    case Gauge = 'gauge';
    case Histogram = 'histogram';
    case Summary = 'summary';
}
