"""moto as a server, with what our template needs and moto lacks.

CloudFormation makes a resource of these types without anything behind it but what a Ref or an attribute gives, and an alarm that can be listed.
Usage: python moto_server.py -H 127.0.0.1 -p PORT
"""
import sys

import moto.cloudformation.models as cloudformation
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role, iam_backends
from moto.server import main

# cfn-lint is asked by a test of its own; here its warnings would refuse the deployment.
errors_and_warnings = cloudformation.validate_template_cfn_lint
cloudformation.validate_template_cfn_lint = lambda template: [
    match for match in errors_and_warnings(template) if match.rule.id.startswith("E")
]


class Named:
    """A resource that is nothing but its name."""

    def __init__(self, name):
        self.name = name

    @property
    def physical_resource_id(self):
        return self.name

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def get_cfn_attribute(self, attribute_name):
        return "https://function.invalid/" if attribute_name == "FunctionUrl" else self.name

    def delete(self, *args, **kwargs):
        pass

    @classmethod
    def update_from_cloudformation_json(cls, original_resource, *args, **kwargs):
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, *args, **kwargs):
        pass


def put_alarm(properties, account_id, region):
    cloudwatch_backends[account_id][region].put_metric_alarm(
        name=properties["AlarmName"] if "AlarmName" in properties else properties["MetricName"],
        namespace=properties.get("Namespace"),
        metric_name=properties.get("MetricName"),
        comparison_operator=properties["ComparisonOperator"],
        evaluation_periods=int(properties["EvaluationPeriods"]),
        period=int(properties.get("Period", 60)),
        threshold=float(properties["Threshold"]),
        statistic=properties.get("Statistic"),
        description=properties.get("AlarmDescription"),
        dimensions=[],
        alarm_actions=properties.get("AlarmActions", []),
    )


def teach(type_name, make=None):
    """CloudFormation finds the types it knows among the subclasses of its model."""

    def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        if make is not None:
            make(cloudformation_json["Properties"], account_id, region_name)
        return cls(resource_name)

    type(CloudFormationModel)(
        type_name.replace("::", ""),
        (Named, CloudFormationModel),
        {
            "__module__": "moto.more.resources",
            "cloudformation_type": staticmethod(lambda: type_name),
            "create_from_cloudformation_json": classmethod(create),
        },
    )


teach("AWS::CloudWatch::Alarm", put_alarm)
teach("AWS::CloudWatch::Dashboard")
teach("AWS::Lambda::Url")
teach("AWS::S3::BucketPolicy")
teach("AWS::Lambda::EventInvokeConfig")


make_role = Role.create_from_cloudformation_json.__func__


def make_role_with_policies(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    """moto leaves out the managed policies that a template gives a role."""
    role = make_role(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
    for arn in cloudformation_json["Properties"].get("ManagedPolicyArns", []):
        iam_backends[account_id]["aws"].attach_role_policy(arn, role.name)
    return role


delete_role = Role.delete_from_cloudformation_json.__func__


def delete_role_with_policies(cls, resource_name, cloudformation_json, account_id, region_name):
    """CloudFormation detaches what it has attached."""
    roles = iam_backends[account_id]["aws"]
    for arn in list(roles.get_role(resource_name).managed_policies):
        roles.detach_role_policy(arn, resource_name)
    delete_role(cls, resource_name, cloudformation_json, account_id, region_name)


Role.create_from_cloudformation_json = classmethod(make_role_with_policies)
Role.delete_from_cloudformation_json = classmethod(delete_role_with_policies)

main(sys.argv[1:])
