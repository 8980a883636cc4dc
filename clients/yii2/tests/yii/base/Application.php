<?php

declare(strict_types=1);

namespace yii\base;

use yii\BaseYii;
use yii\di\ServiceLocator;

/**
 * Handles a request, tells that it has, and sends the response.
 */
abstract class Application extends ServiceLocator
{
    public const EVENT_BEFORE_REQUEST = 'beforeRequest';
    public const EVENT_AFTER_REQUEST = 'afterRequest';

    /** @var string */
    public $id;

    /** @var string */
    public $basePath;

    /**
     * @param array<string, mixed> $config
     */
    public function __construct($config = [])
    {
        BaseYii::$app = $this;
        foreach ($this->coreComponents() as $id => $component) {
            $config['components'][$id] = ($config['components'][$id] ?? []) + $component;
        }
        parent::__construct($config);
        if (YII_ENABLE_ERROR_HANDLER) {
            $this->get('errorHandler')->register();
        }
    }

    /**
     * @param Request $request
     * @return Response
     */
    abstract public function handleRequest($request);

    /**
     * @return array<string, array{class: class-string}>
     */
    abstract public function coreComponents();

    public function run()
    {
        $this->trigger(self::EVENT_BEFORE_REQUEST);
        $response = $this->handleRequest($this->get('request'));
        $this->trigger(self::EVENT_AFTER_REQUEST);
        $response->send();

        return $response->exitStatus;
    }

    public function getResponse()
    {
        return $this->get('response');
    }
}
