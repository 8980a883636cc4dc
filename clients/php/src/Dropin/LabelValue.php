<?php

declare(strict_types=1);

namespace Pushprom\Dropin;

use Pushprom\Series;

/**
 * Label values as the old client wrote them: whatever was given became text somehow.
 *
 * @internal
 */
final class LabelValue
{
    public static function text(mixed $value): string
    {
        // What is no text is a mistake that shows on the page, and had better not end a request.
        return Series::text($value) ?? (\is_array($value) ? 'Array' : \get_debug_type($value));
    }
}
