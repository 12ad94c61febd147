using LocalPlus.Engine.KillRun;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;

if (args is ["worker", var address])
{
    return await OfficialWorker.RunAsync(address, Scripts.Register);
}

var options = Options.Parse(args);
Console.WriteLine(
    options.Scale ? $"{options.Runs} waiting runs" : $"seed {options.Seed}: {options.Runs} runs, {options.Kills} kills"
);
await using var postgres = await PostgresServer.StartAsync(new() { IsDurable = true });
await using var sidecar = new SidecarProcess(options.Sidecar, "killrun", postgres.LibpqString)
{
    Log = options.Verbose ? Console.Error.WriteLine : null,
};
await using var killer = new Killer(postgres, sidecar, Options.Workers, new Random(options.Seed));
await killer.StartAsync();
return options.Scale
    ? await new Scale(options.Runs, postgres, sidecar).RunAsync()
    : await new Session(options, postgres, sidecar, killer).RunAsync();
