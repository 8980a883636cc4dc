<?php

declare(strict_types=1);

namespace pushprom\yii2\tests\Support;

use yii\log\Logger;

/**
 * Writes messages to a file whenever Yii writes them somewhere.
 */
final class FileLogger extends Logger
{
    /** @var string */
    public $file;

    public function flush($final = false)
    {
        foreach ($this->messages as [$message, $level]) {
            if ($level === self::LEVEL_WARNING) {
                file_put_contents($this->file, "$message\n", FILE_APPEND);
            }
        }
        $this->messages = [];
    }
}
