using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// The platform's own jobs: their schedules are the design's, and each says what is wrong when it is.
/// </summary>
public class JobTests
{
    private const string Folder = "platform/gitops/jobs";

    /// <summary>Chapter 8.6.8.</summary>
    [Theory]
    [InlineData("log-cleanup", "0 3 * * 0")]
    [InlineData("backup-verification", "0 4 * * *")]
    [InlineData("compliance-report", "0 6 1 * *")]
    public void A_job_runs_when_the_design_says_and_its_script_is_there(string name, string schedule)
    {
        var objects = Yaml.Parse(Tools.Kustomize(Folder));
        var job = objects.Single(o => o.Kind() == "CronJob" && o.Name() == name);
        Assert.Equal(schedule, job.Text("spec.schedule"));
        Assert.Equal("Forbid Etc/UTC", $"{job.Text("spec.concurrencyPolicy")} {job.Text("spec.timeZone")}");
        var scripts = objects.Single(o => o.Kind() == "ConfigMap");
        Assert.Contains($"{name}.sh", scripts.Map("data").Keys);
        var pod = job.At("spec.jobTemplate.spec.template.spec")!;
        Assert.Equal($"/scripts/{name}.sh", pod.Text("containers.0.command.1"));
        Assert.Equal(scripts.Name(), pod.Text("volumes.0.configMap.name"));
    }

    [Fact]
    public void Every_object_is_valid() => Assert.Empty(Tools.Validate(Repository.At($"{Folder}/jobs.yaml")));

    [Theory]
    [InlineData("720h", "", 0)]
    [InlineData("30d", "", 0)]
    [InlineData("720h", "17", 1)]
    [InlineData("90d", "", 1)]
    public void Logs_past_their_time_are_found(string retention, string lines, int exit)
    {
        var found = lines.Length > 0 ? $$"""{"value": [1, "{{lines}}"]}""" : "";
        var (code, said) = Run(
            "log-cleanup",
            $$$"""
            case "$*" in
              *"/config") echo "  retention_period: {{{retention}}}" ;;
              *) echo '{"data": {"result": [{{{found}}}]}}' ;;
            esac
            """,
            ""
        );
        Assert.Equal(exit, code);
        Assert.Equal(lines.Length > 0 ? 17 : 0, (int)said["lines_past_retention"]!);
    }

    [Theory]
    [InlineData(24, 3000, 1000, 0)]
    [InlineData(24, 9000, 1000, 1)]
    [InlineData(24, 3000, 0, 1)]
    [InlineData(3, 3000, 1000, 1)]
    public void A_backup_that_is_late_empty_or_missing_is_found(int backups, int age, int bytes, int exit)
    {
        const long Now = 1_800_000_000;
        var list = string.Join(
            ',',
            Enumerable
                .Range(0, backups)
                .Select(i => DateTimeOffset.FromUnixTimeSeconds(Now - age - (i * 3600)))
                .Select(at => $$"""{"backup_time": "{{at:yyyy-MM-ddTHH:mm:ss.ffffff}}Z", "data_size": {{bytes}} }""")
        );
        var (code, said) = Run(
            "backup-verification",
            $$$"""echo '{"service": {"service_name": "pg", "backups": [{{{list}}}]}}'""",
            "",
            ("NOW", $"{Now}"),
            ("PROJECT", "p"),
            ("SERVICE", "pg"),
            ("AIVEN_TOKEN", "t")
        );
        Assert.Equal(exit, code);
        Assert.Equal(age, (int)said["newest_age_s"]!);
    }

    [Theory]
    [InlineData("true", "true", "", 0, 0)]
    [InlineData("false", "true", "", 0, 1)]
    [InlineData("true", "false", "", 0, 1)]
    [InlineData("true", "true", """{"result": "fail", "policy": "require-labels"}""", 0, 1)]
    [InlineData("true", "true", "", 1, 1)]
    public void The_report_says_what_is_not_as_it_should_be(
        string wireguard,
        string mtls,
        string result,
        int unsynced,
        int exit
    )
    {
        var secret = unsynced > 0 ? """{"status": {"conditions": [{"type": "Ready", "status": "False"}]}}""" : "";
        var (code, said) = Run(
            "compliance-report",
            """echo "  retention_period: 720h" """,
            $$"""
            case "$*" in
              *policyreports*) echo '{"items": [{"results": [{{result}}]}]}' ;;
              *cilium-config*) printf '{{wireguard}}' ;;
              *daprsystem*) printf '{{mtls}}' ;;
              *externalsecrets*) echo '{"items": [{{secret}}]}' ;;
            esac
            """
        );
        Assert.Equal(exit, code);
        Assert.Equal(unsynced, (int)said["secrets_not_synced"]!);
    }

    /// <summary>The script with another curl and another kubectl.</summary>
    private static (int Code, JsonNode Said) Run(
        string name,
        string curl,
        string kubectl,
        params (string Name, string Value)[] environment
    )
    {
        var folder = Directory.CreateTempSubdirectory("job-");
        try
        {
            foreach (var (program, body) in new[] { ("curl", curl), ("kubectl", kubectl) })
            {
                var file = Path.Combine(folder.FullName, program);
                File.WriteAllText(file, $"#!/usr/bin/env bash\n{body}\n");
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }

            var result = Tools.Program(
                "bash",
                [Repository.At($"{Folder}/scripts/{name}.sh")],
                [
                    ("PATH", $"{folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}"),
                    ("LOKI", "http://loki"),
                    .. environment,
                ]
            );
            var line = result.Error.Split('\n').FirstOrDefault(l => l.StartsWith('{'));
            Assert.True(line is not null, result.Error + result.Output);
            return (result.Code, JsonNode.Parse(line)!);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
