"""Says as JSON what a deployment has made in the emulated account, and unpacks the code of its functions.

Usage: python account_report.py ENDPOINT REGION STACK FOLDER
"""
import ast
import io
import json
import sys
import zipfile

import boto3

endpoint, region, stack, folder = sys.argv[1:]


def client(service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="AKIAADMINISTRATOR",
        aws_secret_access_key="of-the-emulator",
    )


iam, functions, storage, stacks = client("iam"), client("lambda"), client("s3"), client("cloudformation")
outputs = {
    output["OutputKey"]: output["OutputValue"]
    for output in stacks.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
}


def code_keys():
    """Where the code of each function lies in the bucket of the deployment."""
    template = stacks.get_template(StackName=stack)["TemplateBody"]
    resources = (json.loads(template) if isinstance(template, str) else template)["Resources"].values()
    return {
        resource["Properties"]["FunctionName"]: resource["Properties"]["Code"]["S3Key"]
        for resource in resources
        if resource["Type"] == "AWS::Lambda::Function"
    }


keys = code_keys()


def statements(document):
    # moto gives a policy that CloudFormation made within a role back as Python prints it.
    found = (ast.literal_eval(document) if isinstance(document, str) else document)["Statement"]
    return found if isinstance(found, list) else [found]


def policies(role):
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield name, document
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        yield attached["PolicyName"], version["PolicyVersion"]["Document"]


def as_role(role):
    return {
        "name": role["RoleName"],
        "arn": role["Arn"],
        "id": role["RoleId"],
        "trust": statements(role["AssumeRolePolicyDocument"]),
        "statements": [
            {"policy": name, **statement}
            for name, document in policies(role["RoleName"])
            for statement in statements(document)
        ],
    }


def as_function(function):
    name = function["FunctionName"]
    path = f"{folder}/{name}"
    code = storage.get_object(Bucket=outputs["ServerlessDeploymentBucketName"], Key=keys[name])["Body"].read()
    zipfile.ZipFile(io.BytesIO(code)).extractall(path)
    return {
        "name": name,
        "folder": path,
        "roleArn": function["Role"],
        "handler": function["Handler"],
        "timeoutSeconds": function["Timeout"],
        "memoryMb": function["MemorySize"],
        "environment": function.get("Environment", {}).get("Variables", {}),
    }


def pages(call, key, **arguments):
    marker = {}
    while True:
        answer = call(**arguments, **marker)
        yield from answer[key]
        following = answer.get("NextMarker") or (answer.get("Marker") if answer.get("IsTruncated") else None)
        if not following:
            return
        marker = {"Marker": following}


print(
    json.dumps(
        {
            "roles": [as_role(role) for role in pages(iam.list_roles, "Roles")],
            "functions": [as_function(function) for function in pages(functions.list_functions, "Functions")],
            "mappings": [
                {
                    "queueArn": mapping["EventSourceArn"],
                    "functionArn": mapping["FunctionArn"],
                    "batchSize": mapping["BatchSize"],
                }
                for mapping in pages(functions.list_event_source_mappings, "EventSourceMappings")
            ],
            "outputs": outputs,
        }
    )
)
