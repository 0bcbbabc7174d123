<?php

namespace QueueWatch\Laravel;

use Illuminate\Queue\Queue;
use Illuminate\Support\ServiceProvider;

/**
 * Adds the listeners. Nothing here or behind it throws into the app.
 */
class QueueWatchServiceProvider extends ServiceProvider
{
    /** @var int Which boot's listeners count: a test suite boots many apps in one process. */
    private static $boots = 0;

    public function register()
    {
        $this->mergeConfigFrom(__DIR__.'/../config/queuewatch.php', 'queuewatch');
    }

    public function boot()
    {
        $boot = ++self::$boots;
        $stream = (string) $this->app['config']->get('queuewatch.stream', 'php://stderr');
        if ($stream === '' || $stream === 'off' || ! $this->app->bound('events')) {
            return;
        }

        $writer = new LineWriter($stream);
        $queues = new QueueNames($this->app['config']);
        $enqueues = new EnqueueLines($writer, $queues, $this->app['events']);
        $workers = new WorkerLines($writer, $this->app, (int) $this->app['config']->get('queuewatch.heartbeat', 60));

        // By name, not by class: a framework that has no such event never raises it.
        $this->on('Illuminate\Queue\Events\JobQueued', [$enqueues, 'queued']);
        $this->on('Illuminate\Queue\Events\WorkerStarting', [$workers, 'starting']);
        $this->on('Illuminate\Queue\Events\Looping', [$workers, 'looping']);
        $this->on('Illuminate\Queue\Events\JobProcessing', [$workers, 'processing']);
        $this->on('Illuminate\Queue\Events\WorkerStopping', [$workers, 'stopping']);

        Queue::createPayloadUsing(static function ($connection, $queue, $payload) use ($enqueues, $boot) {
            if ($boot === self::$boots) {
                self::guard([$enqueues, 'payload'], [$connection, $queue, $payload]);
            }

            return [];
        });
    }

    /** Listens without ever answering: the worker takes an answer of `false` for "do not run". */
    private function on($event, callable $listener)
    {
        $this->app['events']->listen($event, static function ($event) use ($listener) {
            self::guard($listener, [$event]);
        });
    }

    private static function guard(callable $listener, array $arguments)
    {
        try {
            $listener(...$arguments);
        } catch (\Throwable $e) {
            // A line that cannot be written is not worth a job.
        }
    }
}
