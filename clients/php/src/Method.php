<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * What happens to the value of a series. `inc`, `dec` and `sub` of a delta are additions here, so that they
 * compose with them.
 *
 * @internal
 */
enum Method: string
{
    case Add = 'add';
    case Set = 'set';
    case Observe = 'observe';
    case Declare = 'declare';
}
