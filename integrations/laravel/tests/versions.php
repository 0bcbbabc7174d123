<?php

/*
 * What the package writes where the framework's events have another version's shape: php versions.php 8.0|10.21|11.0|12.59
 * No framework is needed; its events and its configuration are stood in for, as the tags of those versions have them.
 */

namespace Illuminate\Queue\Events {
    class Event
    {
        public function __construct(array $values)
        {
            foreach ($values as $name => $value) {
                $this->$name = $value;
            }
        }
    }

    if ($argv[1] === '8.0') {
        // There is no such event before 8.24.
    } elseif ($argv[1] === '10.21') {
        class JobQueued extends Event
        {
            public $connectionName;

            public $id;

            public $job;

            public $payload;
        }
    } else {
        class JobQueued extends Event
        {
            public $connectionName;

            public $queue;

            public $id;

            public $job;

            public $payload;

            public $delay;
        }
    }

    class Worker extends Event
    {
        public $connectionName;

        public $queue;

        public $status;

        public $workerOptions;

        public $reason;
    }
}

namespace {
    use Illuminate\Queue\Events\JobQueued;
    use Illuminate\Queue\Events\Worker;
    use QueueWatch\Laravel\EnqueueLines;
    use QueueWatch\Laravel\LineWriter;
    use QueueWatch\Laravel\QueueNames;
    use QueueWatch\Laravel\WorkerLines;

    foreach (['LineWriter', 'QueueNames', 'EnqueueLines', 'WorkerLines'] as $class) {
        require dirname(__DIR__).'/src/'.$class.'.php';
    }

    class Config
    {
        public function get($key)
        {
            $connections = [
                'redis' => ['driver' => 'redis', 'queue' => 'main'],
                'cluster' => ['driver' => 'redis', 'queue' => '{main}'],
                'sqs' => ['driver' => 'sqs', 'queue' => 'mail', 'suffix' => '-staging'],
                'bare' => ['driver' => 'beanstalkd'],
                'sync' => ['driver' => 'sync'],
            ];

            return $connections[substr($key, strlen('queue.connections.'))] ?? null;
        }
    }

    class Listeners
    {
        public function listen()
        {
        }
    }

    class App
    {
        public function version()
        {
            return $GLOBALS['argv'][1];
        }

        public function resolved()
        {
            return false;
        }
    }

    class Job
    {
        public $delay;

        public $secret = 'hunter2';
    }

    /** Beanstalkd's id. */
    class JobId
    {
        public function getId()
        {
            return '7';
        }
    }

    /** A queue's name, as enums may be one from 13 on. */
    enum Queue: string
    {
        case Emails = 'emails';
    }

    enum Reason: string
    {
        case Restart = 'restart_signal';
    }

    $writer = new LineWriter('php://stderr');
    $enqueues = new EnqueueLines($writer, new QueueNames(new Config()), new Listeners());
    $push = static function ($connection, $queue, $delay, $id) use ($enqueues) {
        $job = new Job();
        // Before 11.0 a job's own delay is all there is.
        $job->delay = $delay;
        $payload = ['uuid' => 'u-'.$connection, 'displayName' => 'App\Job', 'maxTries' => 2, 'timeout' => null];
        $isRedis = in_array($connection, ['redis', 'cluster'], true) && ! is_object($queue);
        $made = $isRedis ? 'queues:'.($queue ?? 'main') : $queue;
        $enqueues->payload($connection, $made, $payload + ['data' => ['command' => $job], 'job' => 'call']);
        $values = ['connectionName' => $connection, 'queue' => $queue, 'id' => $id, 'job' => $job, 'delay' => $delay];
        if ($GLOBALS['argv'][1] === '8.0') {
            return;
        }
        $values['payload'] = json_encode($payload + ['data' => ['command' => 'O:3:"Job"…hunter2']]);
        $enqueues->queued(new JobQueued(array_intersect_key($values, get_class_vars(JobQueued::class))));
    };
    $push('redis', null, null, 'r1');
    $push('cluster', '{emails}', 60, 'r2');
    $push('sqs', null, null, 'm1');
    $push('sqs', 'mail.fifo', null, 'm2');
    $push('sqs', 'https://sqs.eu-west-1.amazonaws.com/1/mail-staging', null, 'm3');
    $push('bare', null, null, new JobId());
    if ($argv[1] === '8.0') {
        // What runs at once is on no queue.
        $push('sync', null, null, null);
    } elseif ($argv[1] !== '10.21') {
        $push('redis', Queue::Emails, 5, 'r3');
    }

    $workers = new WorkerLines($writer, new App(), 60);
    $work = ['connectionName' => 'redis', 'queue' => 'high,main'];
    if ($argv[1] === '12.59') {
        $workers->starting(new Worker($work));
    }
    $workers->looping(new Worker($work));
    $stop = $argv[1] === '12.59' ? ['status' => 0, 'reason' => Reason::Restart] : ['status' => 12];
    $workers->stopping(new Worker($stop));
}
