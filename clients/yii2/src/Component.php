<?php

declare(strict_types=1);

namespace pushprom\yii2;

/**
 * The component under the name that configurations have, with the label that tells applications apart.
 */
class Component extends ConnectionProxy
{
    /**
     * @var string|null the label `job` of every series, unless $constLabels has one
     */
    public $job;

    /**
     * @inheritdoc
     */
    public function init()
    {
        if ($this->job !== null) {
            $this->constLabels += ['job' => $this->job];
        }
        parent::init();
    }
}
