using LocalPlus.Console;
using LocalPlus.Hosting;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("console");
builder.AddConsole();
var app = builder.Build();
app.UseLocalPlus(ConsoleService.Root);
app.MapConsole();
return await app.RunLocalPlusAsync(args);
