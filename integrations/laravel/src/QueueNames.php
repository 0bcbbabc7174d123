<?php

namespace QueueWatch\Laravel;

/**
 * A queue as its worker will print it. An app may leave the name out, and then the connection's own queue is meant.
 */
class QueueNames
{
    private $config;

    private $connections = [];

    /** @param \ArrayAccess $config the app's configuration */
    public function __construct($config)
    {
        $this->config = $config;
    }

    public function driver($connection)
    {
        return $this->connection($connection)['driver'] ?? null;
    }

    /** The name, never null. */
    public function name($connection, $queue)
    {
        $settings = $this->connection($connection);
        if (is_object($queue)) {
            $queue = $queue->value ?? $queue->name ?? null;
        }
        if ($queue === null || $queue === '') {
            $queue = $settings['queue'] ?? 'default';
        }
        $queue = (string) $queue;
        $driver = $settings['driver'] ?? null;
        if ($driver === 'redis' && strncmp($queue, 'queues:', 7) === 0) {
            // As the payload hook is told it: the key in Redis.
            return substr($queue, 7);
        }
        $suffix = (string) ($settings['suffix'] ?? '');
        if ($driver === 'sqs' && $suffix !== '' && strpos($queue, '://') === false) {
            return substr($queue, -5) === '.fifo' ? substr($queue, 0, -5).$suffix.'.fifo' : $queue.$suffix;
        }

        return $queue;
    }

    private function connection($name)
    {
        $name = (string) $name;
        if (! isset($this->connections[$name])) {
            $this->connections[$name] = (array) ($this->config->get('queue.connections.'.$name) ?: []);
        }

        return $this->connections[$name];
    }
}
