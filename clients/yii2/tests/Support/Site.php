<?php

declare(strict_types=1);

namespace pushprom\yii2\tests\Support;

use pushprom\yii2\Component;
use Yii;

/**
 * A web application of one page, configured as the README says.
 */
final class Site extends \yii\web\Application
{
    /** @var \Closure(): mixed what the action of the page does */
    public \Closure $action;

    /**
     * @param array<string, mixed> $pushprom
     * @param array<string, mixed> $response
     */
    public static function at(array $pushprom, \Closure $action, array $response = []): self
    {
        return new self([
            'id' => 'site',
            'basePath' => __DIR__,
            'action' => $action,
            'components' => [
                'pushprom' => $pushprom + ['class' => Component::className(), 'job' => 'shop'],
                'response' => $response + [
                    'on beforeSend' => static function ($event): void {
                        Yii::$app->pushprom->logHttpResponse($event->sender->getStatusCode());
                        Yii::$app->pushprom->logResponseTimeMs();
                    },
                ],
            ],
        ]);
    }

    public function handleRequest($request)
    {
        ($this->action)();
        $response = $this->getResponse();
        $response->content = 'the page';

        return $response;
    }
}
