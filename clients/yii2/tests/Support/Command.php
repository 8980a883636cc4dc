<?php

declare(strict_types=1);

namespace pushprom\yii2\tests\Support;

use pushprom\yii2\Component;
use Yii;

/**
 * A console application that runs one command.
 */
final class Command extends \yii\console\Application
{
    public static function at(string $url): self
    {
        return new self([
            'id' => 'command',
            'basePath' => __DIR__,
            'components' => ['pushprom' => ['class' => Component::className(), 'url' => $url]],
        ]);
    }

    public function handleRequest($request)
    {
        for ($i = 0; $i < 10; $i++) {
            Yii::$app->pushprom->inc('Counter', 'jobs_total', 'Jobs.');
        }

        return $this->getResponse();
    }
}
