console.log('completion');
