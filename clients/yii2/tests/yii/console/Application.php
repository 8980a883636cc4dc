<?php

declare(strict_types=1);

namespace yii\console;

class Application extends \yii\base\Application
{
    /**
     * Runs a controller in Yii; here, what extends this class does.
     */
    public function handleRequest($request)
    {
        return $this->getResponse();
    }

    public function coreComponents()
    {
        return [
            'errorHandler' => ['class' => \yii\base\ErrorHandler::class],
            'request' => ['class' => Request::class],
            'response' => ['class' => Response::class],
        ];
    }
}
