//! What is asked of ECS and its neighbours about the app's tasks.

use super::host::Host;
use super::{aws, cluster, service};
use crate::domain::model::policy::Policy;

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// The tasks that run.
    ListTasks,
    /// Tasks that ended, and why.
    StoppedTasks,
    /// How many tasks should run and do, and what ECS says of it.
    Services,
    /// What the containers run, with how much memory, and where their output goes.
    TaskDefinition,
    /// The security groups of the task.
    SecurityGroups,
    /// The caches, their state and security groups.
    CacheClusters,
}

impl Ask {
    /// The command that asks.
    pub(super) fn command(self, host: &Host, policy: &Policy) -> String {
        let (cluster, service) = (cluster(policy), service(policy));
        let of_service = format!("--cluster {cluster} --service-name {service}");
        let list = aws(policy, "ecs list-tasks");
        let tasks = aws(policy, "ecs describe-tasks");
        let task = match host {
            Host::Task { task, .. } => task.as_str(),
            Host::Machine => "\"$TASK\"",
        };
        match self {
            Self::StoppedTasks => format!(
                "{tasks} --cluster {cluster} --tasks $({list} {of_service} --desired-status STOPPED \
                 --query 'taskArns[]' --output text) \
                 --query 'tasks[].[stoppedReason,containers[].[name,exitCode,reason]]'"
            ),
            Self::Services => format!(
                "{} --cluster {cluster} --services {service} \
                 --query 'services[].[desiredCount,runningCount,events[:5].message]'",
                aws(policy, "ecs describe-services")
            ),
            Self::TaskDefinition => format!(
                "{} --task-definition $({tasks} --cluster {cluster} --tasks {task} \
                 --query 'tasks[0].taskDefinitionArn' --output text) \
                 --query 'taskDefinition.containerDefinitions[].[name,command,memory,logConfiguration]'",
                aws(policy, "ecs describe-task-definition")
            ),
            Self::SecurityGroups => format!(
                "{} --network-interface-ids $({tasks} --cluster {cluster} --tasks {task} \
                 --query \"tasks[].attachments[].details[?name=='networkInterfaceId'].value\" --output text) \
                 --query 'NetworkInterfaces[].[SubnetId,Groups]'",
                aws(policy, "ec2 describe-network-interfaces")
            ),
            Self::CacheClusters => format!(
                "{} --query 'CacheClusters[].[CacheClusterId,CacheClusterStatus,SecurityGroups]'",
                aws(policy, "elasticache describe-cache-clusters")
            ),
            Self::ListTasks => format!("{list} {of_service}"),
        }
    }
}
