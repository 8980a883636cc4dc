<?php

declare(strict_types=1);

namespace yii;

use yii\log\Logger;

/**
 * As much of the class Yii as the component uses.
 */
class BaseYii
{
    /** @var base\Application|null */
    public static $app;

    private static ?Logger $logger = null;

    /**
     * @param array{class: class-string}&array<string, mixed> $type
     */
    public static function createObject(array $type): object
    {
        $class = $type['class'];
        unset($type['class']);

        return new $class($type);
    }

    public static function getLogger(): Logger
    {
        return self::$logger ??= new Logger();
    }

    public static function setLogger(?Logger $logger): void
    {
        self::$logger = $logger;
    }

    public static function warning(mixed $message, string $category = 'application'): void
    {
        self::getLogger()->log($message, Logger::LEVEL_WARNING, $category);
    }
}
